/*---
title: Notices by month and outcome
question: How many notices arrive each month, and how do they end?
why: >-
  The first thing to know of a notice system is whether it is used, and whether it leads to anything (Art. 16 DSA).
reading: >-
  Each line is an outcome. Counts are over at least ten sellers and rounded where the project sees counts only; a missing
  point is a figure that is withheld, not a zero.
caveats:
  - In the demonstration every month follows the figures of the second half of 2025, so the lines are flat but for chance.
datasets: [notices]
tiers: [registered, vetted]
chart: {kind: line, x: month, y: notices, colour: outcome}
---*/
SELECT CAST(date_trunc('month', received_date) AS DATE) AS month, outcome, count(*) AS notices
FROM notices
GROUP BY month, outcome
ORDER BY month, outcome
