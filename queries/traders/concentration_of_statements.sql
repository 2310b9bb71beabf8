/*---
title: How concentrated are statements on sellers?
question: Which share of all statements concerns the sellers with the most statements?
why: >-
  If few sellers account for many decisions, measures against repeated misuse (Art. 23 DSA) matter more than removing
  listing after listing.
reading: >-
  Sellers with at least one statement are put in ten groups of equal size, group 1 with the most statements. Compare
  its share of statements with the tenth that it would have if all were alike.
caveats:
  - Many statements can mean many listings, and not more breaches per listing; the number of listings is not known here.
  - Sellers without any statement are not seen.
  - In the demonstration the concentration is an assumption.
datasets: [moderation_statements]
tiers: [vetted]
chart: {kind: bar, x: tenth_of_sellers, y: share_percent}
---*/
WITH sellers AS (
    SELECT trader_ref, count(*) AS statements
    FROM moderation_statements
    GROUP BY trader_ref
),
ranked AS (
    SELECT statements, ntile(10) OVER (ORDER BY statements DESC, trader_ref) AS tenth_of_sellers
    FROM sellers
)
SELECT
    tenth_of_sellers,
    count(*) AS sellers,
    sum(statements) AS statements,
    round(100 * sum(statements) / sum(sum(statements)) OVER (), 1) AS share_percent
FROM ranked
GROUP BY tenth_of_sellers
ORDER BY tenth_of_sellers
