/*---
title: From content to decision, and from decision to database
question: How long does content stand before it is restricted, and how long until the statement reaches the database?
why: >-
  Long exposure is a risk to consumers; late statements are a question of Art. 24(5) DSA, which asks for no undue delay.
reading: >-
  Days are means over statements, weighted by their number. A mean of content's age is driven by old content that was
  found late; it is no time to react to a notice.
caveats:
  - Dates are whole days, so delays below a day mean little.
  - Impossible delays were left out by the source.
datasets: [dsa_transparency_daily]
tiers: [public, registered, vetted]
parameters:
  platform:
    type: text
    label: Marketplace
    default: AliExpress
    values: [AliExpress, Amazon Store, eBay, Shein, Temu, Vinted, Zalando]
chart: {kind: line, x: month, y: mean_days, colour: delay}
---*/
SELECT
    CAST(date_trunc('month', day) AS DATE) AS month,
    CASE field WHEN 'moderation_delay' THEN 'content to decision' ELSE 'decision to database' END AS delay,
    sum(statements) AS statements,
    round(sum(mean_hours * statements) / sum(statements) / 24, 2) AS mean_days
FROM dsa_transparency_daily
WHERE field IN ('moderation_delay', 'disclosure_delay')
  AND platform = $platform
  AND mean_hours IS NOT NULL
GROUP BY ALL
ORDER BY month, delay
