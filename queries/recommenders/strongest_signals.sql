/*---
title: The strongest signals of each ranking
question: Which actions of users count most for a post's score, and do they push it up or down?
why: >-
  Art. 27(2) DSA asks for the criteria that are most significant and for their relative importance. Ranks give both
  without the exact weights.
reading: >-
  Each column of ranks is one ranking at one day: 1 is the strongest. Signals of the same weight share a rank.
caveats:
  - These are declared weights; values can be changed while the system runs.
  - A rank compares within one ranking only.
  - A strong weight on a rare action may matter less than a weak one on a frequent action.
datasets: [recommender_source_code]
tiers: [public, registered, vetted]
parameters:
  how_many: {type: integer, label: Ranks to show, default: 10}
chart: {kind: bar, x: parameter, y: importance_rank, colour: pushes}
---*/
SELECT system, as_of, importance_rank, parameter, pushes, documentation
FROM recommender_source_code
WHERE importance_rank <= $how_many
  AND parameter_kind IS NULL
ORDER BY as_of, system, importance_rank, parameter
