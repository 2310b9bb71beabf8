/*---
title: Listings that come back
question: How often does a listing get another statement after its first, and after how many days?
why: >-
  A listing that is restricted again was visible again. How often, and how soon, tells whether restrictions last.
reading: >-
  Each row is a category at the first statement. The median is over listings with a second statement.
caveats:
  - A second statement may correct or extend the first, and need not mean that the listing came back.
  - A listing that returns under another number is not recognised here.
  - In the demonstration listings get statements by chance.
datasets: [moderation_statements]
tiers: [vetted]
parameters:
  at_least: {type: integer, label: Leave out categories of fewer listings than, default: 20}
chart: {kind: bar, x: first_category, y: again_percent}
---*/
WITH numbered AS (
    SELECT
        listing_ref,
        category,
        created_at,
        row_number() OVER turns AS turn,
        lead(created_at) OVER turns - created_at AS days_to_next
    FROM moderation_statements
    WHERE listing_ref IS NOT NULL
    WINDOW turns AS (PARTITION BY listing_ref ORDER BY created_at, statement_id)
)
SELECT
    replace(category, 'STATEMENT_CATEGORY_', '') AS first_category,
    count(*) AS listings,
    count(days_to_next) AS with_another_statement,
    round(100 * count(days_to_next) / count(*), 1) AS again_percent,
    median(days_to_next) AS median_days
FROM numbered
WHERE turn = 1
GROUP BY category
HAVING count(*) >= $at_least
ORDER BY listings DESC, first_category
