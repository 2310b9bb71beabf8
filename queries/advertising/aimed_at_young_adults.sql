/*---
title: Products aimed at young adults
question: For which kinds of product are advertisements aimed at people under 25 alone, and whom did they reach?
why: >-
  Young adults are the youngest whom the platform admits, and ages are not checked, so what is aimed at them reaches
  minors first. Art. 28(2) DSA bars profiling of minors for advertisements; Art. 34(1)(d) names their protection.
reading: >-
  `aimed_percent` is the share of the category's advertisements aimed at 24 years and younger. `reach_percent` is the
  share of people of 18 to 24 among all whom the category reached, aimed at or not.
caveats:
  - What was last shown more than a year ago has left the repository.
  - Ages are as users stated them.
  - Reach of fewer than 100 in a cell is withheld, so shares are of what is shown.
  - Removed advertisements have no category and are left out.
datasets: [ad_repository, ad_reach]
tiers: [public, registered, vetted]
chart: {kind: bar, x: product_category, y: aimed_percent}
---*/
WITH reached AS (
    SELECT ad_id, sum(reach) FILTER (WHERE age_band = '18-24') AS young, sum(reach) AS everyone
    FROM ad_reach
    WHERE age_band <> 'ALL'
    GROUP BY ad_id
)
SELECT
    product_category,
    count(*) AS advertisements,
    count(*) FILTER (WHERE target_age_max < 25) AS aimed_at_young_adults,
    round(100 * count(*) FILTER (WHERE target_age_max < 25) / count(*), 1) AS aimed_percent,
    sum(young) AS reach_18_to_24,
    round(100 * sum(young) / sum(everyone), 1) AS reach_percent
FROM ad_repository
LEFT JOIN reached USING (ad_id)
WHERE product_category IS NOT NULL
GROUP BY product_category
ORDER BY aimed_percent DESC, product_category
