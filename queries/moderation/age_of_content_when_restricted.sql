/*---
title: How old content is when it is restricted
question: How long had content been online when it was restricted, by kind of infringement and by what found it?
why: >-
  Illegal listings do harm while they stand. Whether a platform underestimates that risk shows in how long content is
  exposed before it acts, and whether its own means or others find it (Art. 34 and 35 DSA).
reading: >-
  Each row is a category and whether automated means found the content. The median is the usual listing; where the mean
  is far above it, a few very old listings were found late.
caveats:
  - >-
    The month of posting is known, not the day, and so ages of less than a month are not told apart: a month's first day
    stands for all of it.
  - In the demonstration age goes with the month of the decision only, so differences between categories are chance there.
  - How many people saw the content is not in this dataset.
  - Only statements that hold in the project's Member States are seen.
datasets: [moderation_statements]
tiers: [vetted]
parameters:
  since: {type: date, label: From, default: 2025-07-01}
  until: {type: date, label: Until, default: 2025-12-31}
  at_least: {type: integer, label: Leave out rows of fewer statements than, default: 50}
chart: {kind: bar, x: category, y: median_days, colour: found_by}
---*/
SELECT
    replace(category, 'STATEMENT_CATEGORY_', '') AS category,
    CASE automated_detection WHEN 'Yes' THEN 'automated means' ELSE 'people' END AS found_by,
    count(*) AS statements,
    median(date_diff('day', content_date, application_date)) AS median_days,
    round(avg(date_diff('day', content_date, application_date)), 1) AS mean_days,
    round(100 * count_if(date_diff('day', content_date, application_date) > 90) / count(*), 1) AS over_ninety_days_percent
FROM moderation_statements
WHERE created_at BETWEEN $since AND $until
  AND content_date IS NOT NULL
GROUP BY ALL
HAVING count(*) >= $at_least
ORDER BY median_days DESC, category, found_by
