/*---
title: Are accounts restricted more often after more statements?
question: Of the sellers with few, some and many statements, how many had an account suspended or terminated?
why: >-
  Art. 23(1) DSA asks platforms to suspend those who frequently provide manifestly illegal content. If account measures
  do not rise with repetition, the policy or its practice needs a closer look.
reading: >-
  Each row is a group of sellers by their number of statements in the period. Compare the shares from row to row.
caveats:
  - >-
    Art. 23 is about manifestly illegal content and a case-by-case view; most statements rest on terms and conditions,
    so a seller with many statements need not be one whom Art. 23 means.
  - More statements give more chances of an account measure by themselves.
  - In the demonstration account measures are independent of repetition, by assumption.
datasets: [moderation_statements]
tiers: [vetted]
chart: {kind: bar, x: statements_of_seller, y: with_account_measure_percent}
---*/
WITH sellers AS (
    SELECT trader_ref, count(*) AS statements, count(decision_account) > 0 AS measured
    FROM moderation_statements
    GROUP BY trader_ref
)
SELECT
    CASE
        WHEN statements = 1 THEN '1'
        WHEN statements <= 5 THEN '2 to 5'
        WHEN statements <= 20 THEN '6 to 20'
        WHEN statements <= 100 THEN '21 to 100'
        ELSE 'more than 100'
    END AS statements_of_seller,
    count(*) AS sellers,
    round(100 * count_if(measured) / count(*), 2) AS with_account_measure_percent
FROM sellers
GROUP BY ALL
ORDER BY min(statements)
