/*---
title: Are automated penalties reversed more often?
question: What share of penalties was lifted after a complaint, by who decided and how severe the breach was?
why: >-
  Art. 20 DSA lets those concerned complain, and Art. 20(6) asks that people and not only machines decide the complaint.
  A higher share of reversals of automated penalties is a sign of their errors.
reading: >-
  Each row is a severity and who decided. Figures are rounded, so small differences mean nothing.
caveats:
  - Who does not complain keeps a wrong penalty; a low share need not mean good decisions.
  - Reversals of recent decisions are not known yet.
datasets: [trader_penalties]
tiers: [registered]
chart: {kind: heatmap, x: decided_by, y: severity, colour: lifted_percent}
---*/
WITH decisions AS (
    SELECT
        decided_by,
        severity,
        count(*) AS decisions,
        count(*) FILTER (WHERE lifted_on_appeal = true) AS lifted
    FROM trader_penalties
    GROUP BY decided_by, severity
)
SELECT decided_by, severity, decisions, lifted, round(100.0 * lifted / decisions, 1) AS lifted_percent
FROM decisions
ORDER BY severity, decided_by
