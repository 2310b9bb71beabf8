/*---
title: What was shown before and after a change of a parameter
question: Did exposure to illegal listings change on a surface when one of its parameters did?
why: >-
  Art. 35(1)(d) DSA names the adaptation of recommenders as a mitigation. Whether one mitigates is seen in what is shown
  afterwards, against surfaces where nothing changed.
reading: >-
  Each row is a change. `change_percent` compares the chosen number of weeks after it with as many before, on its surface;
  `elsewhere_percent` does the same for all other surfaces. A large gap between the two is worth a question.
caveats:
  - After is not because; other things change in the same weeks, such as seasons, sellers or moderation.
  - Both options together, in weeks where all classes are shown.
  - In the last weeks before the export not all illegal listings have been found.
datasets: [recommender_parameters, recommender_exposure]
tiers: [registered, vetted]
parameters:
  weeks: {type: integer, label: Weeks before and after, default: 8, values: [4, 8, 13]}
chart: {kind: bar, x: changed, y: change_percent}
---*/
WITH changes AS (
    SELECT DISTINCT surface, parameter, valid_from, change_reason
    FROM recommender_parameters
    WHERE valid_from > (SELECT min(valid_from) FROM recommender_parameters)
),
weeks AS (
    SELECT
        week,
        surface,
        recommender_option,
        sum(impressions) FILTER (WHERE listing_class = 'LATER_REMOVED_ILLEGAL') AS illegal,
        sum(impressions) AS impressions
    FROM recommender_exposure
    GROUP BY ALL
    HAVING count(*) = 3
),
around AS (
    SELECT
        c.surface,
        c.parameter,
        c.valid_from,
        c.change_reason,
        w.surface = c.surface AS is_here,
        w.week >= c.valid_from AS is_after,
        1e6 * sum(illegal) / sum(impressions) AS rate
    FROM changes AS c
    JOIN weeks AS w ON abs(date_diff('day', c.valid_from, w.week) + 0.5) < 7 * $weeks
    GROUP BY ALL
),
compared AS (
    SELECT
        surface,
        parameter,
        valid_from,
        change_reason,
        max(rate) FILTER (WHERE is_here AND NOT is_after) AS before,
        max(rate) FILTER (WHERE is_here AND is_after) AS after,
        max(rate) FILTER (WHERE NOT is_here AND NOT is_after) AS before_elsewhere,
        max(rate) FILTER (WHERE NOT is_here AND is_after) AS after_elsewhere
    FROM around
    GROUP BY ALL
)
SELECT
    surface || ' ' || parameter || ' ' || CAST(valid_from AS VARCHAR) AS changed,
    change_reason,
    round(before, 1) AS illegal_per_million_before,
    round(after, 1) AS illegal_per_million_after,
    round(100 * (after / before - 1), 1) AS change_percent,
    round(100 * (after_elsewhere / before_elsewhere - 1), 1) AS elsewhere_percent
FROM compared
ORDER BY abs(change_percent) DESC NULLS LAST, changed
