/*---
title: Share of fully automated decisions, by month
question: Which share of a marketplace's decisions was taken by automated means alone?
why: >-
  Art. 17(3)(c) DSA makes platforms say so. A high share is no fault by itself; it tells where the quality of the
  automated means matters most.
reading: >-
  Shares of one month add up to 100. Read a jump together with the number of statements of that month.
caveats:
  - Platforms draw the line between partial and full automation differently.
  - It tells nothing of whether decisions were right; complaints and their reversal would.
datasets: [dsa_transparency_daily]
tiers: [public, registered, vetted]
parameters:
  platform:
    type: text
    label: Marketplace
    default: AliExpress
    values: [AliExpress, Amazon Store, eBay, Shein, Temu, Vinted, Zalando]
chart: {kind: line, x: month, y: share_percent, colour: decided}
---*/
WITH monthly AS (
    SELECT
        CAST(date_trunc('month', day) AS DATE) AS month,
        replace(value, 'AUTOMATED_DECISION_', '') AS decided,
        sum(statements) AS statements
    FROM dsa_transparency_daily
    WHERE field = 'automated_decision'
      AND platform = $platform
    GROUP BY ALL
)
SELECT
    month,
    decided,
    statements,
    round(100 * statements / sum(statements) OVER (PARTITION BY month), 2) AS share_percent
FROM monthly
ORDER BY month, decided
