/*---
title: Advertisers with the most exclusions
question: Which pages named the most values to keep people out?
why: >-
  Few pages make most of the rows of exclusions. Whoever counts rows must know them, and a repository is there to let
  anyone see how an advertiser aimed.
reading: >-
  Each row is a page. Many values are no more exclusion than few - a list of postal codes and one country may leave out
  the same people.
caveats:
  - >-
    To exclude is lawful and mostly ordinary (places not served, people who already gave); a rank here is no reproach.
  - Who pays is as the advertiser states it.
  - Only pages for which the library showed targeting are counted.
datasets: [ad_targeting]
tiers: [public, registered, vetted]
parameters:
  how_many: {type: integer, label: Pages to show, default: 25}
chart: {kind: bar, x: page_name, y: values_excluded}
---*/
SELECT
    page_name,
    any_value(payer) AS payer,
    count(*) AS values_excluded,
    count_if(criterion = 'location') AS places,
    count_if(criterion = 'detailed') AS interests_and_traits,
    count_if(criterion IN ('custom_audience', 'lookalike_audience')) AS kinds_of_known_people,
    round(100 * max(ads_with_value) / max(ads_total), 1) AS advertisements_percent_at_least
FROM ad_targeting
WHERE is_exclusion
  AND ads_with_value > 0
GROUP BY page_id, page_name
ORDER BY values_excluded DESC, page_name
LIMIT $how_many
