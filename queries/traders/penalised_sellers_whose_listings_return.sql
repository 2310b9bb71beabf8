/*---
title: Do penalties keep listings from coming back?
question: Of removed listings whose seller had been penalised before, and of the others, what share came back by the same owner?
why: >-
  A penalty is meant to change what a seller does. If listings of penalised sellers come back as often as those of others,
  it does not.
reading: >-
  Each row is the gravest penalty that the seller had before the week of removal.
caveats:
  - Penalties of natural persons are in no row, so their sellers count as not penalised.
  - Sellers are penalised because their listings were removed; a difference need not be an effect of the penalty.
  - Listings removed in the last months had little time to come back.
datasets: [listing_reappearance, trader_penalties]
tiers: [vetted]
parameters:
  at_least: {type: integer, label: Leave out groups of fewer listings than, default: 20}
chart: {kind: bar, x: gravest_penalty_before, y: came_back_percent}
---*/
WITH removed AS (
    SELECT
        listing.listing_ref,
        max(list_position(['NONE', 'WARNING', 'RESTRICTION', 'SUSPENSION', 'CLOSURE'], penalty.penalty_applied)) AS step
    FROM listing_reappearance AS listing
    LEFT JOIN trader_penalties AS penalty
        ON penalty.trader_ref = listing.trader_ref AND penalty.event_week < listing.removed_week
    GROUP BY listing.listing_ref
)
SELECT
    coalesce(['no measure', 'warning', 'restriction', 'suspension', 'closure'][step], 'never penalised')
        AS gravest_penalty_before,
    count(*) AS removed_listings,
    count(*) FILTER (WHERE back.same_entity) AS came_back_by_same_owner,
    round(100 * count(*) FILTER (WHERE back.same_entity) / count(*), 1) AS came_back_percent
FROM removed
LEFT JOIN listing_reappearance AS back ON back.original_listing_ref = removed.listing_ref
GROUP BY step
HAVING count(*) >= $at_least
ORDER BY coalesce(step, 0)
