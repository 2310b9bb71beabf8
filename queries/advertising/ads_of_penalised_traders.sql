/*---
title: Advertisements of traders who were penalised before
question: How many advertisements belong to traders who had been penalised before they were shown?
why: >-
  A platform that sells reach to traders whom it has penalised carries their offers further. It is a question of Art. 23
  and of the mitigation of risks under Art. 35(1)(e) DSA, on advertising.
reading: >-
  Each row is the month in which advertisements began. A trader counts as penalised where a penalty of the chosen
  severity, not lifted on appeal, is of an earlier week.
caveats:
  - >-
    What was last shown more than a year ago has left the repository, so early months hold long-running advertisements
    only.
  - Only companies can be followed; natural persons are in neither figure.
  - Removed advertisements name no advertiser and are left out.
  - A penalty may be for something else than what is advertised, and most penalised traders may advertise lawfully.
datasets: [ad_repository, trader_penalties]
tiers: [vetted]
parameters:
  severity: {type: text, label: Severity of the penalty, default: SERIOUS, values: [SERIOUS, MINOR]}
chart: {kind: line, x: month, y: penalised_percent}
---*/
WITH first_penalty AS (
    SELECT trader_ref, min(event_week) AS first_week
    FROM trader_penalties
    WHERE severity = $severity
      AND NOT lifted_on_appeal
    GROUP BY trader_ref
)
SELECT
    CAST(date_trunc('month', first_shown) AS DATE) AS month,
    count(*) AS advertisements,
    count(*) FILTER (WHERE first_week < first_shown) AS of_penalised_traders,
    round(100 * count(*) FILTER (WHERE first_week < first_shown) / count(*), 1) AS penalised_percent,
    count(DISTINCT advertiser_trader_ref) FILTER (WHERE first_week < first_shown) AS penalised_traders,
    sum(total_reach) FILTER (WHERE first_week < first_shown) AS reach_of_penalised_traders
FROM ad_repository
LEFT JOIN first_penalty ON trader_ref = advertiser_trader_ref
WHERE advertiser_trader_ref IS NOT NULL
GROUP BY month
ORDER BY month
