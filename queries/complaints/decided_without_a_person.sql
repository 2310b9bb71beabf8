/*---
title: Complaints decided without a person
question: How many complaints are decided without qualified staff, and do they end otherwise?
why: >-
  Art. 20(6) DSA does not allow decisions on complaints by automated means alone. Any such decision is a question to the
  platform; that it takes minutes and upholds more would say why.
reading: >-
  Each row is a kind of decision and whether a person took part. Compare medians: what no person looked at is decided at
  once.
caveats:
  - In the demonstration a share of such complaints was put there to be found.
  - A platform may count a short look of a person as taking part.
datasets: [complaints]
tiers: [vetted]
parameters:
  since: {type: date, label: From, default: 2025-07-01}
  until: {type: date, label: Until, default: 2026-06-30}
chart: {kind: bar, x: contested, y: complaints, colour: decided_by}
---*/
SELECT
    contested_decision AS contested,
    CASE WHEN human_reviewed THEN 'with a person' ELSE 'without a person' END AS decided_by,
    count(*) AS complaints,
    round(100 * count(*) / sum(count(*)) OVER (PARTITION BY contested_decision), 1) AS of_such_complaints_percent,
    round(100 * count_if(outcome IN ('REVERSED', 'PARTIALLY_REVERSED')) / count(*), 1) AS reversed_percent,
    round(median(hours_to_decision), 2) AS median_hours
FROM complaints
WHERE lodged_date BETWEEN $since AND $until
GROUP BY contested_decision, human_reviewed
ORDER BY contested, decided_by
