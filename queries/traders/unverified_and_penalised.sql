/*---
title: Are sellers who were not verified penalised more?
question: Of the sellers who were verified, and of those who were not, how many were penalised, and how often?
why: >-
  Art. 30 DSA asks marketplaces to know their traders, because who cannot be traced cannot be held to account. If those
  whose papers were never found in order breach the rules more often, checking is where prevention begins.
reading: >-
  Each row is an outcome of the platform's check. Compare the penalised share and the penalties for each hundred sellers.
caveats:
  - That two things go together does not tell which comes first; a penalty may be what led to a check.
  - The outcome is that of the day of the register, penalties are of more than two years.
  - Figures of both datasets are rounded before they are divided.
  - In the demonstration the difference is planted.
datasets: [traders, trader_penalties]
tiers: [registered]
chart: {kind: bar, x: verification_status, y: penalised_percent}
---*/
WITH known AS (
    SELECT verification_status, count(*) AS sellers
    FROM traders
    GROUP BY verification_status
),
penalised AS (
    SELECT verification_status, count(*) AS penalties, count(DISTINCT trader_ref) AS penalised_sellers
    FROM trader_penalties
    GROUP BY verification_status
)
SELECT
    verification_status,
    sellers,
    penalised_sellers,
    penalties,
    round(100.0 * penalised_sellers / sellers, 1) AS penalised_percent,
    round(100.0 * penalties / sellers, 1) AS penalties_for_100_sellers
FROM known
JOIN penalised USING (verification_status)
ORDER BY penalised_percent, verification_status
