/*---
title: How much of each ranking rests on profiling
question: On each surface, how many parameters rest on profiling, how much do they count, and can users switch them off?
why: >-
  Art. 38 DSA asks for an option that is not based on profiling on each recommender. How much of a ranking rests on
  profiling tells what the option must do without.
reading: >-
  `profiling_percent` is the part of all relative importance on the surface that rests on profiling, on the day.
  `without_option` should be 0 - a parameter of profiling that no option takes away.
caveats:
  - Whether a fact counts as profiling is the platform's own classification.
  - A weight is not an effect; see what was shown in recommender_exposure.
datasets: [recommender_parameters]
tiers: [public, registered, vetted]
parameters:
  as_of: {type: date, label: As of, default: 2026-10-01}
chart: {kind: bar, x: surface, y: profiling_percent}
---*/
SELECT
    surface,
    count(*) AS parameters,
    count_if(uses_profiling) AS of_profiling,
    round(100 * sum(relative_importance) FILTER (WHERE uses_profiling) / sum(relative_importance), 1)
        AS profiling_percent,
    count_if(uses_profiling AND user_option = 'NONE') AS without_option,
    string_agg(parameter, ', ' ORDER BY importance_rank, parameter) FILTER (WHERE uses_profiling) AS which
FROM recommender_parameters
WHERE valid_from <= $as_of
  AND coalesce(valid_to >= $as_of, true)
  AND relative_importance > 0
GROUP BY surface
ORDER BY profiling_percent DESC NULLS LAST, surface
