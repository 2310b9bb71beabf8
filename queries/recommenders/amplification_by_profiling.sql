/*---
title: Illegal listings shown with and without profiling
question: Of a million impressions, how many were of listings later removed as illegal, with profiling and without?
why: >-
  Whether recommenders carry illegal offers further is a risk that Art. 34(1)(a) and (2)(a) DSA names. The option without
  profiling is the comparison that Art. 38 gives.
reading: >-
  Each row is a surface. Rates are means of weekly rates, so that a week in which more users chose an option weighs no
  more than another. `times_as_many` above 1 means that the surface shows more of such listings with profiling than
  without.
caveats:
  - Users choose the option themselves and may look for other goods, so it is no experiment.
  - Weeks with fewer than 1,000 users in one of the classes are left out, for the class is not shown and is not zero.
  - In the last weeks before the export not all illegal listings have been found.
datasets: [recommender_exposure]
tiers: [registered, vetted]
parameters:
  since: {type: date, label: From the week of, default: 2024-07-01}
chart: {kind: bar, x: surface, y: times_as_many}
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
        count(*) FILTER (WHERE recommender_option = 'PERSONALISED') AS weeks_with,
        count(*) FILTER (WHERE recommender_option = 'NON_PROFILING') AS weeks_without,
        avg(1e6 * illegal / impressions) FILTER (WHERE recommender_option = 'PERSONALISED') AS rate_with,
        avg(1e6 * illegal / impressions) FILTER (WHERE recommender_option = 'NON_PROFILING') AS rate_without
    FROM weeks
    GROUP BY surface
)
SELECT
    surface,
    round(rate_with, 1) AS illegal_per_million_with,
    round(rate_without, 1) AS illegal_per_million_without,
    round(rate_with / rate_without, 2) AS times_as_many,
    weeks_with,
    weeks_without
FROM rates
ORDER BY times_as_many DESC NULLS LAST, surface
