/*---
title: Through which channels do promoters lead to hidden links?
question: How many promoters and removed listings are there by channel, and what share of the listings hid a link?
why: >-
  Penalties for affiliates as well as for sellers are among the commitments of a marketplace of June 2025. Where promoters
  lead to hidden links is where such penalties would have to reach.
reading: >-
  Each row is a channel of promotion. Compare the shares of hidden links.
caveats:
  - Promoters whom nobody connected with a listing are not known.
  - >-
    Promoters may be natural persons, so figures rest on at least twenty of them and are rounded. Listings without a
    promoter are in no row, and with them the smallest channel is left out, because they would follow from each other.
  - In the demonstration the difference between channels is planted.
datasets: [listing_reappearance]
tiers: [registered]
chart: {kind: bar, x: affiliate_channel, y: hidden_link_percent}
---*/
WITH counted AS (
    SELECT
        affiliate_channel,
        count(DISTINCT affiliate_ref) AS promoters,
        count(*) AS removed_listings,
        count(*) FILTER (WHERE hidden_link = true) AS hidden_links
    FROM listing_reappearance
    GROUP BY affiliate_channel
)
SELECT
    affiliate_channel,
    promoters,
    removed_listings,
    hidden_links,
    round(100.0 * hidden_links / removed_listings, 1) AS hidden_link_percent
FROM counted
ORDER BY hidden_link_percent DESC, affiliate_channel
