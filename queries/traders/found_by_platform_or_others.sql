/*---
title: Who finds illegal listings after they appeared?
question: Of the illegal listings that buyers could see, what share did the platform find itself, and what share did others?
why: >-
  A platform that learns of illegal listings from others underestimates its risk (Art. 34 DSA). Hidden links are made to
  pass its own controls, so they are shown apart.
reading: >-
  Each row is who found listings, with and without a hidden link; the shares of each of the two add up to a hundred, but
  for rounding and for what is withheld.
caveats:
  - Listings that nobody found are not known.
  - Figures rest on at least ten sellers and twenty promoters and are rounded.
  - In the demonstration the difference is planted.
datasets: [listing_reappearance]
tiers: [registered]
chart: {kind: bar, x: listings, y: share_percent, colour: detection_source}
---*/
WITH counted AS (
    SELECT hidden_link, detection_stage, detection_source, count(*) AS listings_found
    FROM listing_reappearance
    GROUP BY hidden_link, detection_stage, detection_source
)
SELECT
    CASE WHEN hidden_link THEN 'with a hidden link' ELSE 'without' END AS listings,
    detection_source,
    CASE WHEN detection_source IN ('ALGORITHM', 'HUMAN') THEN 'the platform' ELSE 'others' END AS found_by,
    listings_found,
    round(100.0 * listings_found / sum(listings_found) OVER (PARTITION BY hidden_link), 1) AS share_percent
FROM counted
WHERE detection_stage = 'POST_LISTING'
ORDER BY listings, listings_found DESC, detection_source
