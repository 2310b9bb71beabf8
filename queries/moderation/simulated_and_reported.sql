/*---
title: Do the statements agree with the public counts?
question: Are the categories of the statements as frequent as in the public database?
why: >-
  Two sources on one thing should agree, or the difference should have a reason. It is the first check before any
  finding, and it shows how two datasets are joined.
reading: >-
  Both shares are of all statements of the month. A difference of a few hundredths is sampling.
caveats:
  - >-
    The demonstration's statements are simulated from the very counts of AliExpress with which they are compared, so
    agreement is by construction; a project limited to some Member States sees a part that may differ.
  - Public counts end on 2026-01-10, so a later month has nothing to compare with.
datasets: [moderation_statements, dsa_transparency_daily]
tiers: [vetted]
parameters:
  month: {type: date, label: First day of the month, default: 2025-03-01}
chart: {kind: bar, x: category, y: difference_percent}
---*/
WITH statements AS (
    SELECT category, 100 * count(*) / sum(count(*)) OVER () AS share
    FROM moderation_statements
    WHERE date_trunc('month', created_at) = date_trunc('month', $month)
    GROUP BY category
),
reported AS (
    SELECT value AS category, 100 * sum(statements) / sum(sum(statements)) OVER () AS share
    FROM dsa_transparency_daily
    WHERE platform = 'AliExpress'
      AND field = 'category'
      AND date_trunc('month', day) = date_trunc('month', $month)
    GROUP BY value
)
SELECT
    replace(category, 'STATEMENT_CATEGORY_', '') AS category,
    round(coalesce(statements.share, 0), 3) AS statements_percent,
    round(coalesce(reported.share, 0), 3) AS reported_percent,
    round(coalesce(statements.share, 0) - coalesce(reported.share, 0), 3) AS difference_percent
FROM statements
FULL JOIN reported USING (category)
ORDER BY reported_percent DESC, category
