/*---
title: Do like breaches meet like penalties?
question: How much do the penalties for breaches of the same severity and number differ, and how far are they from the rule?
why: >-
  One of the Commission's preliminary findings on a marketplace (June 2025) is that its penalty policy was not properly
  enforced. Spread among like cases is its first sign.
reading: >-
  Each row is a severity and the how manieth breach it was. The share as prescribed compares each decision with the rule
  for its points; the spread is the entropy of the measures in bits: 0 where all got the same, 1 where two measures
  share the cases evenly.
caveats:
  - The rule looks at points and strikes and not at the number of breaches alone, so some spread belongs to the rule.
  - Groups of few decisions have a spread by chance; raise the number to leave them out.
  - >-
    Sellers who were closed have no further breaches, so high numbers are of those alone who were spared closure.
  - Natural persons who trade are not in the rows.
datasets: [trader_penalties]
tiers: [vetted]
parameters:
  at_least: {type: integer, label: Leave out groups of fewer decisions than, default: 20}
chart: {kind: line, x: offence_no, y: as_prescribed_percent, colour: severity}
---*/
SELECT
    severity,
    offence_no,
    count(*) AS decisions,
    round(100 * count_if(penalty_applied = penalty_policy) / count(*), 1) AS as_prescribed_percent,
    round(100 * count_if(penalty_applied = 'NONE') / count(*), 1) AS without_measure_percent,
    count(DISTINCT penalty_applied) AS different_measures,
    round(entropy(penalty_applied), 2) AS spread_bits
FROM trader_penalties
GROUP BY severity, offence_no
HAVING count(*) >= $at_least
ORDER BY severity, offence_no
