/*---
title: The places excluded most often
question: Which places did most advertisers exclude, of the kind that you choose?
why: It shows whether some regions are kept from political advertisements by many advertisers at once.
reading: >-
  Each row is a place, with the pages that excluded it and those that aimed at it. A place can be in both columns.
caveats:
  - >-
    An advertiser who aims at one state often excludes its neighbours, which leaves out nobody who was meant.
  - Names of places are as the library writes them.
datasets: [ad_targeting]
tiers: [public, registered, vetted]
parameters:
  kind_of_place:
    type: text
    label: Kind of place
    default: regions
    values: [regions, CITY, COUNTY, zips, geo_markets, countries, electoral_districts]
  how_many: {type: integer, label: Places to show, default: 25}
chart: {kind: bar, x: place, y: pages_excluding}
---*/
SELECT
    criterion_value AS place,
    count(DISTINCT page_id) FILTER (WHERE is_exclusion) AS pages_excluding,
    count(DISTINCT page_id) FILTER (WHERE NOT is_exclusion) AS pages_including
FROM ad_targeting
WHERE criterion = 'location'
  AND location_type = $kind_of_place
GROUP BY criterion_value
HAVING count(*) FILTER (WHERE is_exclusion) > 0
ORDER BY pages_excluding DESC, place
LIMIT $how_many
