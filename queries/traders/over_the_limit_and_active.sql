/*---
title: Who is over the limit and still sells?
question: Of the sellers whose points or strikes reached the limit for closure, how many may still sell, by size?
why: >-
  Art. 23(1) DSA asks platforms to suspend those who frequently provide manifestly illegal content. A limit that does
  not lead to closure protects nobody.
reading: >-
  Each row is a size of seller. Over the limit is who reached the chosen points or strikes at any time; whether the
  account may sell is that of the day of the register.
caveats:
  - An account may have been closed and opened again after a complaint; only its standing on one day is known.
  - A closure may not be due yet for decisions of the last weeks, which the embargo leaves out for the most part.
  - Natural persons who trade are not in the rows.
  - In the demonstration the difference between sizes is planted.
datasets: [trader_penalties]
tiers: [vetted]
parameters:
  points: {type: integer, label: Points of the limit, default: 48}
  strikes: {type: integer, label: Strikes of the limit, default: 3}
chart: {kind: bar, x: seller_size, y: still_active_percent}
---*/
WITH sellers AS (
    SELECT
        trader_ref,
        any_value(seller_size) AS seller_size,
        any_value(seller_status) AS seller_status,
        bool_or(points_total >= $points OR strike_no >= $strikes) AS over_the_limit
    FROM trader_penalties
    GROUP BY trader_ref
)
SELECT
    seller_size,
    count(*) AS penalised_sellers,
    count_if(over_the_limit) AS over_the_limit,
    count_if(over_the_limit AND seller_status = 'ACTIVE') AS still_active,
    round(100 * count_if(over_the_limit AND seller_status = 'ACTIVE') / count_if(over_the_limit), 1)
        AS still_active_percent
FROM sellers
GROUP BY seller_size
HAVING count_if(over_the_limit) > 0
ORDER BY list_position(['SMALL', 'MEDIUM', 'LARGE'], seller_size)
