/*---
title: Complaints by what they contest
question: Which decisions are contested, how often do they not stand, and how long does it take?
why: >-
  Art. 20 DSA asks for complaints to be handled in a timely, diligent and non-arbitrary manner. AliExpress committed to it;
  share and time by kind of decision show where it is kept.
reading: >-
  Each row is a kind of decision. A high share reversed speaks against the first decisions; a long time, against the handling
  of complaints.
caveats:
  - Complaints about accounts and services are few, so their shares move by chance.
  - In the demonstration shares and medians follow AliExpress' report; their spread is assumed.
  - Two disputes went to out-of-court bodies in half a year. So few would point at people, and no row tells of them.
datasets: [complaints]
tiers: [vetted]
parameters:
  since: {type: date, label: From, default: 2025-07-01}
  until: {type: date, label: Until, default: 2026-06-30}
chart: {kind: bar, x: contested, y: reversed_percent}
---*/
SELECT
    contested_decision AS contested,
    count(*) AS complaints,
    round(100 * count_if(outcome IN ('REVERSED', 'PARTIALLY_REVERSED')) / count(*), 1) AS reversed_percent,
    round(median(hours_to_decision), 1) AS median_hours,
    round(quantile_cont(hours_to_decision, 0.95), 1) AS ninety_five_percent_within_hours
FROM complaints
WHERE lodged_date BETWEEN $since AND $until
GROUP BY contested_decision
ORDER BY complaints DESC, contested
