/*---
title: Did labels move? Categories' shares by month
question: In which months did a marketplace's statements move from one category to another?
why: >-
  A risk that is measured by one label can seem to vanish when the label changes. Shares of all categories at once
  show it.
reading: >-
  Each column is a month and adds up to 100. A dark cell that moves to another row from one month to the next, while
  the total stays, suggests another label; it does not prove one.
caveats:
  - Nothing public documents a relabelling of AliExpress in spring 2025; it is an inference from these counts.
  - Categories were renamed on 2025-07-01, which moves cells on every platform.
datasets: [dsa_transparency_daily]
tiers: [public, registered, vetted]
parameters:
  platform:
    type: text
    label: Marketplace
    default: AliExpress
    values: [AliExpress, Amazon Store, eBay, Shein, Temu, Vinted, Zalando]
  since: {type: date, label: From, default: 2025-01-01}
  until: {type: date, label: Until, default: 2025-12-31}
  least_percent: {type: number, label: Leave out categories that never reach this share, default: 1}
chart: {kind: heatmap, x: month, y: category, colour: share_percent}
---*/
WITH monthly AS (
    SELECT
        CAST(date_trunc('month', day) AS DATE) AS month,
        replace(value, 'STATEMENT_CATEGORY_', '') AS category,
        sum(statements) AS statements
    FROM dsa_transparency_daily
    WHERE field = 'category'
      AND platform = $platform
      AND day BETWEEN $since AND $until
    GROUP BY ALL
),
shares AS (
    SELECT month, category, round(100 * statements / sum(statements) OVER (PARTITION BY month), 2) AS share_percent
    FROM monthly
)
SELECT month, category, share_percent
FROM shares
QUALIFY max(share_percent) OVER (PARTITION BY category) >= $least_percent
ORDER BY month, category
