/*---
title: Spending by targeting criterion
question: How much of the spending, at least, went to advertisements that used each criterion?
why: >-
  Counting pages gives a small advertiser the weight of a large one. Spending shows by which criteria most paid reach is
  aimed.
reading: >-
  Values of one criterion overlap, so shares are not added - each page counts with its most used value. The true
  spending lies at or above the figure. Criteria overlap as well, so rows do not add up.
caveats:
  - It needs a grant for the dataset; without one spending stands in bands.
  - Pages whose currency is not the US dollar are left out, and a sum of 100 may stand for less.
  - The library does not say how many days the spending covers.
datasets: [ad_targeting]
tiers: [vetted]
chart: {kind: bar, x: criterion, y: spending_percent_at_least, colour: used_to}
---*/
WITH pages AS (
    SELECT
        page_id,
        criterion,
        CASE WHEN is_exclusion THEN 'exclude' ELSE 'include' END AS used_to,
        max(spend_share) AS share,
        any_value(spend_total) AS spend_total
    FROM ad_targeting
    WHERE criterion NOT IN ('age', 'gender')
      AND ads_with_value > 0
      AND currency = 'USD'
    GROUP BY ALL
),
all_spending AS (
    SELECT sum(spend_total) AS spend_total
    FROM (SELECT page_id, any_value(spend_total) AS spend_total FROM ad_targeting WHERE currency = 'USD' GROUP BY page_id)
)
SELECT
    criterion,
    used_to,
    count(*) AS pages,
    round(sum(share * spend_total)) AS spending_at_least,
    round(100 * sum(share * spend_total) / (SELECT spend_total FROM all_spending), 1) AS spending_percent_at_least
FROM pages
GROUP BY criterion, used_to
ORDER BY spending_at_least DESC, criterion
