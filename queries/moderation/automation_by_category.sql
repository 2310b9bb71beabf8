/*---
title: Fully automated decisions, by month and category
question: In which categories, and when, were decisions taken by automated means alone?
why: >-
  Public counts tell automation and category apart, never together. Statement by statement both can be seen at once,
  which shows in which kinds of cases no person looked.
reading: >-
  A cell is the share of a month's statements in a category that were fully automated. Cells of few statements are left
  out, because a share of few says little.
caveats:
  - >-
    In the demonstration the rows are simulated, with category and automation independent within a month: differences
    between categories are chance there.
  - Only statements that hold in the project's Member States are seen.
datasets: [moderation_statements]
tiers: [vetted]
parameters:
  at_least: {type: integer, label: Leave out cells of fewer statements than, default: 50}
chart: {kind: heatmap, x: month, y: category, colour: fully_automated_percent}
---*/
SELECT
    CAST(date_trunc('month', created_at) AS DATE) AS month,
    replace(category, 'STATEMENT_CATEGORY_', '') AS category,
    count(*) AS statements,
    round(100 * count_if(automated_decision = 'AUTOMATED_DECISION_FULLY') / count(*), 1) AS fully_automated_percent
FROM moderation_statements
GROUP BY ALL
HAVING count(*) >= $at_least
ORDER BY month, category
