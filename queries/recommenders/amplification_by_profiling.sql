/*---
title: Illegal listings shown with and without profiling
question: Of a million impressions, how many were of listings later removed as illegal, with profiling and without?
why: >-
  Whether recommenders carry illegal offers further is a risk that Art. 34(1)(a) and (2)(a) DSA names. The option without
  profiling is the comparison that Art. 38 gives.
reading: >-
  Each row is a surface and an option. The rate is the mean of weekly rates, so that a week in which more users chose an
  option weighs no more than another. `times_without_profiling` above 1 means that the surface shows more of such
  listings with profiling than without.
caveats:
  - Users choose the option themselves and may look for other goods, so it is no experiment.
  - Weeks with fewer than 1,000 users in one of the classes are left out, for the class is not shown and is not zero.
  - In the last weeks before the export not all illegal listings have been found.
datasets: [recommender_exposure]
tiers: [registered, vetted]
parameters:
  since: {type: date, label: From the week of, default: 2024-07-01}
chart: {kind: bar, x: surface, y: illegal_per_million, colour: recommender_option}
---*/
WITH weeks AS (
    SELECT
        week,
        surface,
        recommender_option,
        sum(impressions) FILTER (WHERE listing_class = 'LATER_REMOVED_ILLEGAL') AS illegal,
        sum(impressions) AS impressions
    FROM recommender_exposure
    WHERE week >= $since
    GROUP BY ALL
    HAVING count(*) = 3
),
rates AS (
    SELECT
        surface,
        recommender_option,
        count(*) AS weeks,
        sum(impressions) AS impressions,
        avg(1e6 * illegal / impressions) AS rate
    FROM weeks
    GROUP BY surface, recommender_option
)
SELECT
    surface,
    recommender_option,
    weeks,
    impressions,
    round(rate, 1) AS illegal_per_million,
    round(rate / max(rate) FILTER (WHERE recommender_option = 'NON_PROFILING') OVER (PARTITION BY surface), 2)
        AS times_without_profiling
FROM rates
ORDER BY times_without_profiling DESC NULLS LAST, surface, recommender_option
