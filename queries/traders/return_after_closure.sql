/*---
title: Do closed sellers open new accounts?
question: Of the accounts opened in each quarter, how many belong to the owner of an account closed before?
why: >-
  A closure that its owner can undo by opening another account has no effect. That malicious traders return is among the
  Commission's preliminary findings on a marketplace (June 2025).
reading: >-
  Each row is the quarter of opening. The line is the share of returned owners among new accounts.
caveats:
  - Only returns under the same owner are seen; who returns under another name is counted as new.
  - Counts are of at least 20 accounts and rounded; a figure that is withheld stands as no value.
  - The first and the last quarter of returns may be withheld, with few accounts or because they follow from others.
  - In the demonstration the returns are planted.
datasets: [traders]
tiers: [vetted]
parameters:
  since: {type: date, label: Opened from, default: 2025-01-01}
chart: {kind: line, x: quarter, y: returned_percent}
---*/
WITH opened AS (
    SELECT date_trunc('quarter', registered_month) AS quarter, count(*) AS accounts
    FROM traders
    WHERE registered_month >= $since
    GROUP BY quarter
),
returned AS (
    SELECT date_trunc('quarter', registered_month) AS quarter, count(*) AS returned
    FROM traders
    WHERE registered_month >= $since AND opened_after_closure = true
    GROUP BY quarter
)
SELECT
    CAST(quarter AS DATE) AS quarter,
    accounts,
    returned,
    round(100.0 * returned / accounts, 1) AS returned_percent
FROM opened
LEFT JOIN returned USING (quarter)
ORDER BY quarter
