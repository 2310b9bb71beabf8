/*---
title: Exclusions by kind of place
question: How many political advertisers kept people out by where they are, and by which kinds of place?
why: >-
  Art. 39(2)(e) DSA makes repositories show the parameters used to exclude as well as to include. Exclusion by place can
  be harmless (a neighbouring state) or keep a group from a message.
reading: >-
  Each row is a kind of place. Compare pages rather than values: one page that excludes hundreds of postal codes makes
  many rows.
caveats:
  - Only pages for which the library showed targeting are counted, mostly large ones.
  - The library does not name every place; those left out are in `places_not_named`.
  - An exclusion says nothing of its purpose.
datasets: [ad_targeting]
tiers: [public, registered, vetted]
chart: {kind: bar, x: location_type, y: pages_excluding}
---*/
SELECT
    location_type,
    count(DISTINCT page_id) FILTER (WHERE is_exclusion) AS pages_excluding,
    count(DISTINCT page_id) FILTER (WHERE NOT is_exclusion) AS pages_including,
    count(*) FILTER (WHERE is_exclusion) AS places_excluded,
    count(DISTINCT criterion_value) FILTER (WHERE is_exclusion) AS different_places_excluded,
    coalesce(sum(locations_obfuscated) FILTER (WHERE is_exclusion), 0) AS places_not_named
FROM ad_targeting
WHERE criterion = 'location'
GROUP BY location_type
HAVING count(*) FILTER (WHERE is_exclusion) > 0
ORDER BY pages_excluding DESC, location_type
