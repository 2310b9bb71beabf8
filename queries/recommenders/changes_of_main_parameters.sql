/*---
title: How the main parameters changed
question: Which parameters came to count for more or less, when, and why?
why: >-
  Art. 27 DSA asks platforms to keep users informed of the main parameters. A change of a weight changes what millions
  see; without a record of versions nobody can hold what happened against it.
reading: >-
  Each row is a change. Importance is the share of the surface's strongest weight, so 0.2 to 0.65 means that it counts
  three times as much in comparison. 0 means no longer used.
caveats:
  - Reasons are the platform's own words.
  - Importance is told to the nearest 0.05, and moves as well where the strongest parameter changes.
datasets: [recommender_parameters]
tiers: [public, registered, vetted]
parameters:
  since: {type: date, label: Changes since, default: 2024-07-02}
---*/
WITH versions AS (
    SELECT
        surface,
        parameter,
        valid_from,
        relative_importance,
        importance_rank,
        uses_profiling,
        change_reason,
        lag(relative_importance) OVER earlier AS importance_before,
        lag(importance_rank) OVER earlier AS rank_before
    FROM recommender_parameters
    WINDOW earlier AS (PARTITION BY surface, parameter ORDER BY valid_from)
)
SELECT
    valid_from,
    surface,
    parameter,
    importance_before,
    relative_importance AS importance_after,
    rank_before,
    importance_rank AS rank_after,
    uses_profiling,
    change_reason
FROM versions
WHERE importance_before IS NOT NULL
  AND valid_from >= $since
ORDER BY valid_from, surface, parameter
