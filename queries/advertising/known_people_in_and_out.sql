/*---
title: People already known - included and excluded
question: How many advertisers aimed at people whom they already know, or at people like them, or kept them out?
why: >-
  Customer lists and lookalikes rest on data about persons. How widely they are used, and for exclusion too, tells how
  far targeting goes beyond place and age.
reading: >-
  Each row is a kind of audience. A page counts where at least one of its advertisements used the audience so.
caveats:
  - The share is of pages for which the library showed targeting, mostly large ones.
  - What is on a list is not public.
datasets: [ad_targeting]
tiers: [public, registered, vetted]
chart: {kind: bar, x: audience, y: pages_percent, colour: used_to}
---*/
SELECT
    criterion_value AS audience,
    CASE WHEN is_exclusion THEN 'exclude' ELSE 'include' END AS used_to,
    count(DISTINCT page_id) AS pages,
    round(100 * count(DISTINCT page_id) / (SELECT count(DISTINCT page_id) FROM ad_targeting WHERE has_targeting), 1)
        AS pages_percent,
    sum(ads_with_value) AS advertisements
FROM ad_targeting
WHERE criterion IN ('custom_audience', 'lookalike_audience')
  AND ads_with_value > 0
GROUP BY ALL
ORDER BY audience, used_to
