/*---
title: Restrictions of one kind, by month
question: How often did a marketplace restrict visibility, accounts, its service or payments, month by month?
why: >-
  Nearly every statement is about visibility. Measures against accounts are rare and reach further; when they come
  tells more of a platform's policy than their number.
reading: >-
  Each line is a measure, in statements per million of the month, so that months of different size compare. Read a
  peak together with `statements`.
caveats:
  - >-
    AliExpress reported no measure against an account before April 2024; that none was reported does not mean that none
    was taken.
  - A statement may hold several restrictions of visibility, so those lines can add up to more than a million.
  - An account that sells much and one that sells nothing count alike.
datasets: [dsa_transparency_daily]
tiers: [public, registered, vetted]
parameters:
  platform:
    type: text
    label: Marketplace
    default: AliExpress
    values: [AliExpress, Amazon Store, eBay, Shein, Temu, Vinted, Zalando]
  restriction:
    type: text
    label: Kind of restriction
    default: decision_account
    values: [decision_visibility, decision_account, decision_provision, decision_monetary]
chart: {kind: line, x: month, y: per_million_statements, colour: measure}
---*/
WITH monthly AS (
    SELECT CAST(date_trunc('month', day) AS DATE) AS month, field, value, sum(statements) AS statements
    FROM dsa_transparency_daily
    WHERE field IN ($restriction, 'rows')
      AND platform = $platform
    GROUP BY ALL
),
rates AS (
    SELECT *, 1e6 * statements / sum(statements) FILTER (WHERE field = 'rows') OVER (PARTITION BY month) AS rate
    FROM monthly
)
SELECT
    month,
    replace(value, upper($restriction) || '_', '') AS measure,
    statements,
    round(rate, 1) AS per_million_statements
FROM rates
WHERE value IS NOT NULL
ORDER BY month, measure
