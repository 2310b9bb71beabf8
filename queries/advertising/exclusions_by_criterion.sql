/*---
title: Exclusions by targeting criterion
question: By which criteria did political advertisers keep people out, and how many did so?
why: >-
  Art. 39(2)(e) DSA asks for the main parameters used to exclude. Exclusion by a list of known people, by interest and
  by place raise different questions, so they are told apart.
reading: >-
  Each row is a criterion. A page counts once, where at least one of its advertisements used the criterion so; it can
  include and exclude by the same criterion.
caveats:
  - >-
    For age, gender and language the library reports inclusion only; leaving out an age is an exclusion that is not
    counted here.
  - The share is of pages for which the library showed targeting, mostly large ones.
  - An exclusion says nothing of its purpose.
datasets: [ad_targeting]
tiers: [public, registered, vetted]
chart: {kind: bar, x: criterion, y: pages_excluding}
---*/
SELECT
    criterion,
    count(DISTINCT page_id) FILTER (WHERE is_exclusion) AS pages_excluding,
    count(DISTINCT page_id) FILTER (WHERE NOT is_exclusion) AS pages_including,
    round(100 * count(DISTINCT page_id) FILTER (WHERE is_exclusion)
        / (SELECT count(DISTINCT page_id) FROM ad_targeting WHERE has_targeting), 1) AS excluding_percent,
    count(DISTINCT criterion_value) FILTER (WHERE is_exclusion) AS different_values_excluded
FROM ad_targeting
WHERE is_exclusion IS NOT NULL
  AND ads_with_value > 0
GROUP BY criterion
ORDER BY pages_excluding DESC, criterion
