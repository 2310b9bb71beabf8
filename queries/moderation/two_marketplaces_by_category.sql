/*---
title: Two marketplaces, category by category
question: In which kinds of infringement do the statements of two marketplaces differ most?
why: >-
  Shares take size out of a comparison. Where two marketplaces of like goods differ much, either the goods, the practice
  or the labels differ.
reading: >-
  Shares of each marketplace add up to 100. A positive difference means that the category is more frequent at the first.
caveats:
  - What a platform calls by one label another may call by the next; a difference of labels looks like one of practice.
  - >-
    Categories were renamed on 2025-07-01, so a period that holds this day shows old and new names.
  - A share tells nothing of how much there was to find.
datasets: [dsa_transparency_daily]
tiers: [public, registered, vetted]
parameters:
  first:
    type: text
    label: First marketplace
    default: AliExpress
    values: [AliExpress, Amazon Store, eBay, Shein, Temu, Vinted, Zalando]
  second:
    type: text
    label: Second marketplace
    default: Temu
    values: [AliExpress, Amazon Store, eBay, Shein, Temu, Vinted, Zalando]
  since: {type: date, label: From, default: 2025-07-01}
  until: {type: date, label: Until, default: 2025-12-31}
chart: {kind: bar, x: category, y: difference_points}
---*/
WITH counted AS (
    SELECT
        replace(value, 'STATEMENT_CATEGORY_', '') AS category,
        coalesce(sum(statements) FILTER (WHERE platform = $first), 0) AS first_statements,
        coalesce(sum(statements) FILTER (WHERE platform = $second), 0) AS second_statements
    FROM dsa_transparency_daily
    WHERE field = 'category'
      AND platform IN ($first, $second)
      AND day BETWEEN $since AND $until
    GROUP BY category
),
shares AS (
    SELECT
        *,
        100 * first_statements / sum(first_statements) OVER () AS first_share,
        100 * second_statements / sum(second_statements) OVER () AS second_share
    FROM counted
)
SELECT
    category,
    first_statements,
    second_statements,
    round(first_share, 2) AS first_percent,
    round(second_share, 2) AS second_percent,
    round(first_share - second_share, 2) AS difference_points
FROM shares
ORDER BY abs(first_share - second_share) DESC, category
