/*---
title: Hidden links by month and way of hiding
question: How many removed listings hid a link in each month, in which way, and how many of them did others find?
why: >-
  A hidden link shows a harmless product and sells something else, often a counterfeit. Where the ways of hiding change,
  controls made for the old ones miss.
reading: >-
  Each row is a month and a way of hiding. Found by others says that a notice, a third-party monitor or an alert, and
  not the platform, found the listing.
caveats:
  - A rise may be a rise of finding and not of hiding.
  - Months are those of the week of removal.
  - A project sees listings offered in its Member States only.
  - In the demonstration the growth of one way is planted.
datasets: [listing_reappearance]
tiers: [vetted]
chart: {kind: line, x: month, y: hidden_links, colour: hidden_link_vector}
---*/
SELECT
    CAST(date_trunc('month', removed_week) AS DATE) AS month,
    hidden_link_vector,
    count(*) AS hidden_links,
    round(100 * count_if(detection_source NOT IN ('ALGORITHM', 'HUMAN')) / count(*), 1) AS found_by_others_percent
FROM listing_reappearance
WHERE hidden_link
GROUP BY month, hidden_link_vector
ORDER BY month, hidden_link_vector
