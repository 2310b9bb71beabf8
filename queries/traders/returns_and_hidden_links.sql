/*---
title: Do listings with hidden links come back more often?
question: By quarter, what share of removed listings were returns, of those that hid a link and of the others?
why: >-
  Third-party controls on hidden links are among the commitments of a marketplace of June 2025. If such listings return
  more often than others, removing them one by one does not reach those behind them.
reading: >-
  Each row is a quarter and a kind of listing. The share is that of returns among all listings removed then.
caveats:
  - Only returns that were recognised are known.
  - Figures rest on at least ten sellers and twenty promoters and are rounded; what is withheld has no value.
  - The last quarter is not whole.
datasets: [listing_reappearance]
tiers: [registered]
chart: {kind: line, x: quarter, y: returns_percent, colour: listings}
---*/
WITH counted AS (
    SELECT
        date_trunc('quarter', removed_week) AS quarter,
        hidden_link,
        count(*) AS removed_listings,
        count(*) FILTER (WHERE is_return = true) AS returns
    FROM listing_reappearance
    GROUP BY quarter, hidden_link
)
SELECT
    CAST(quarter AS DATE) AS quarter,
    CASE WHEN hidden_link THEN 'with a hidden link' ELSE 'without' END AS listings,
    removed_listings,
    returns,
    round(100.0 * returns / removed_listings, 1) AS returns_percent
FROM counted
ORDER BY quarter, listings
