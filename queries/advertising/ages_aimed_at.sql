/*---
title: Which ages were aimed at
question: Which share of advertisements was open to each year of age, from 13 to 65 and over?
why: >-
  Art. 28(2) DSA bars advertisements based on profiling of minors. The ages that advertisers left out, or did not, are
  the first thing to look at.
reading: >-
  The line is the share of all advertisements, of pages with targeting, that were open to people of that age. Zero means
  that no advertisement was.
caveats:
  - Aimed at is not shown to; how many people of an age saw an advertisement is not in this dataset.
  - These are political advertisements, for which the platform itself sets a minimum age.
datasets: [ad_targeting]
tiers: [public, registered, vetted]
chart: {kind: line, x: age, y: advertisements_percent}
---*/
SELECT
    CAST(rtrim(criterion_value, '+') AS INTEGER) AS age,
    count(DISTINCT page_id) FILTER (WHERE ads_with_value > 0) AS pages_aiming,
    sum(ads_with_value) AS advertisements,
    round(100 * sum(ads_with_value) / sum(ads_total), 2) AS advertisements_percent
FROM ad_targeting
WHERE criterion = 'age'
GROUP BY criterion_value
ORDER BY age
