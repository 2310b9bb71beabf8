/*---
title: Sellers who get statements again
question: >-
  Of the sellers with many statements in a month, how many had a statement again in the next month, or within three?
why: >-
  Art. 23(1) DSA is about those who frequently provide manifestly illegal content, and it can only be applied by those
  who look across months. A high share that stays is a reason to ask how repetition is dealt with.
reading: >-
  Each row is a month with the sellers who had at least the chosen number of statements in it. The last three months are
  left out, because the time after them is not whole.
caveats:
  - A seller with many listings gets more statements by chance alone; the number of listings is not known here.
  - Statements may be wrong or withdrawn later, and most rest on terms and conditions and not on law.
  - In the demonstration sellers get statements by assumption, month by month alike.
  - Only statements that hold in the project's Member States are seen.
datasets: [moderation_statements]
tiers: [vetted]
parameters:
  at_least: {type: integer, label: Statements of a seller in the month at least, default: 5}
chart: {kind: line, x: month, y: within_three_months_percent}
---*/
WITH months AS (
    SELECT trader_ref, CAST(date_trunc('month', created_at) AS DATE) AS month, count(*) AS statements
    FROM moderation_statements
    GROUP BY ALL
),
followed AS (
    SELECT *, date_diff('month', month, lead(month) OVER (PARTITION BY trader_ref ORDER BY month)) AS months_to_next
    FROM months
)
SELECT
    month,
    count(*) AS sellers,
    count_if(months_to_next = 1) AS again_next_month,
    count_if(months_to_next <= 3) AS again_within_three_months,
    round(100 * count_if(months_to_next <= 3) / count(*), 1) AS within_three_months_percent
FROM followed
WHERE statements >= $at_least
  AND month <= (SELECT max(month) - INTERVAL 3 MONTH FROM months)
GROUP BY month
ORDER BY month
