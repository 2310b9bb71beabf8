/*---
title: What happens after the limit is reached?
question: How many more breaches follow when a seller who reached the limit is not closed, and within how many days?
why: >-
  What a closure would have prevented is the measure of not closing.
reading: >-
  Each row is what was done when the limit was reached first. Compare how many of these sellers were penalised again.
caveats:
  - Breaches that were not found are not counted.
  - Days are counted from week to week, because decisions are told by week.
  - Sellers who reached the limit late had less time for more breaches.
datasets: [trader_penalties]
tiers: [vetted]
chart: {kind: bar, x: measure_at_the_limit, y: penalised_again_percent}
---*/
WITH numbered AS (
    SELECT
        *,
        penalty_policy = 'CLOSURE' AS at_the_limit,
        row_number() OVER (PARTITION BY trader_ref, penalty_policy = 'CLOSURE' ORDER BY offence_no) AS turn
    FROM trader_penalties
),
first_time AS (
    SELECT trader_ref, offence_no, event_week, penalty_applied FROM numbered WHERE at_the_limit AND turn = 1
),
followed AS (
    SELECT
        first_time.trader_ref,
        first_time.penalty_applied AS measure_at_the_limit,
        count(later.event_id) AS more_breaches,
        min(later.event_week) - any_value(first_time.event_week) AS days_to_next
    FROM first_time
    LEFT JOIN trader_penalties AS later
        ON later.trader_ref = first_time.trader_ref AND later.offence_no > first_time.offence_no
    GROUP BY ALL
)
SELECT
    measure_at_the_limit,
    count(*) AS sellers,
    count_if(more_breaches > 0) AS penalised_again,
    round(100 * count_if(more_breaches > 0) / count(*), 1) AS penalised_again_percent,
    sum(more_breaches) AS more_breaches,
    median(days_to_next) AS median_days_to_next
FROM followed
GROUP BY measure_at_the_limit
ORDER BY sellers DESC, measure_at_the_limit
