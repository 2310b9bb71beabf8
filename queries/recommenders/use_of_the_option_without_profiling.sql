/*---
title: Who uses the option without profiling
question: Which share of each surface's users chose the option that is not based on profiling, month by month?
why: >-
  Art. 38 DSA asks for the option, and Art. 27(3) for direct and easy access to it. An option that hardly anybody uses may
  be hard to find.
reading: >-
  The line is the mean weekly share of users. A step up or down at one date on all surfaces points at how the option is
  offered.
caveats:
  - A user may stand in several rows, so users are counted by listings that nearly everyone sees - those not removed.
  - That few use an option may be for lack of interest as well.
datasets: [recommender_exposure]
tiers: [registered, vetted]
chart: {kind: line, x: month, y: without_profiling_percent, colour: surface}
---*/
WITH weeks AS (
    SELECT
        week,
        surface,
        sum(users) FILTER (WHERE recommender_option = 'NON_PROFILING') AS without_profiling,
        sum(users) AS users
    FROM recommender_exposure
    WHERE listing_class = 'NOT_REMOVED'
    GROUP BY week, surface
    HAVING count(*) = 2
)
SELECT
    CAST(date_trunc('month', week) AS DATE) AS month,
    surface,
    round(100 * sum(without_profiling) / sum(users), 2) AS without_profiling_percent,
    count(*) AS weeks
FROM weeks
GROUP BY month, surface
ORDER BY month, surface
