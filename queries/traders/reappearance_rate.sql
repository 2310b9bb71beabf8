/*---
title: How many removed listings come back?
question: Of the listings removed, how many came back under a new number, how soon, and through whom?
why: >-
  Platforms name the rate at which removed listings reappear among their own key indicators, and keep it confidential.
  That removed offers return again and again is among the Commission's preliminary findings on a marketplace (June 2025).
reading: >-
  Each row is a kind of product. The rate is of listings that came back at least once; days and owner are of those
  returns.
caveats:
  - Only returns that were recognised are known, and only those removed again; the rate is a lower bound.
  - Listings removed in the last months had little time to come back.
  - A project sees listings offered in its Member States only.
  - In the demonstration the rate is planted.
datasets: [listing_reappearance]
tiers: [vetted]
parameters:
  before: {type: date, label: Removed before, default: 2026-08-01}
chart: {kind: bar, x: product_category, y: came_back_percent}
---*/
SELECT
    removed.product_category,
    count(*) AS removed_listings,
    count(back.listing_ref) AS came_back,
    round(100 * count(back.listing_ref) / count(*), 1) AS came_back_percent,
    median(back.days_since_removal) AS median_days,
    round(100 * count(*) FILTER (WHERE back.same_entity) / count(back.listing_ref), 1) AS same_owner_percent
FROM listing_reappearance AS removed
LEFT JOIN listing_reappearance AS back ON back.original_listing_ref = removed.listing_ref
WHERE removed.removed_week < $before
GROUP BY removed.product_category
ORDER BY came_back_percent DESC, removed.product_category
