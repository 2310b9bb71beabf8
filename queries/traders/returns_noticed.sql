/*---
title: How many returns does the platform notice?
question: Of all accounts that the owners of closed accounts opened, what share did the platform mark as suspected returns?
why: >-
  A return that is noticed at the door can be refused. The share tells how well the door is watched, and how many others
  are suspected without cause.
reading: >-
  Each row is whether the account was opened after a closure of the same owner. Marked is what the platform suspected.
caveats:
  - Owners who return under another name are among the others, and some marks that look wrong may be right.
  - Figures are rounded before they are divided.
  - In the demonstration how few are noticed is planted.
datasets: [traders]
tiers: [vetted]
chart: {kind: bar, x: account, y: marked_percent}
---*/
WITH counted AS (
    SELECT opened_after_closure, count(*) AS accounts, count(*) FILTER (WHERE reregistration_flag = true) AS marked
    FROM traders
    GROUP BY opened_after_closure
)
SELECT
    CASE WHEN opened_after_closure THEN 'owner of a closed account' ELSE 'others' END AS account,
    accounts,
    marked,
    round(100.0 * marked / accounts, 1) AS marked_percent
FROM counted
ORDER BY account DESC
