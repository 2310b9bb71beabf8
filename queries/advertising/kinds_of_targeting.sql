/*---
title: By what data people are chosen
question: By which kinds of data are the groups of advertisements chosen, and how far do such advertisements reach?
why: >-
  Art. 26(1)(d) and 39(2)(e) DSA ask for the main parameters of targeting. What people looked at and lists of known
  customers rest on more personal data than age or place.
reading: >-
  Each row is a kind of data; `NOT_TARGETED` are advertisements for everyone. An advertisement with several kinds stands
  in several rows.
caveats:
  - Only the main parameters are told; others may have played a part.
  - That an advertisement reached few may be for its budget and not for its targeting.
datasets: [ad_repository]
tiers: [public, registered, vetted]
chart: {kind: bar, x: target_method, y: advertisements_percent}
---*/
SELECT
    target_method,
    count(*) AS advertisements,
    round(100 * count(*) / (SELECT count(*) FROM ad_repository), 1) AS advertisements_percent,
    median(total_reach) AS median_reach,
    count_if(len(excluded_groups) > 0) AS that_also_exclude
FROM (
    SELECT
        unnest(CASE WHEN targeted THEN target_methods ELSE ['NOT_TARGETED'] END) AS target_method,
        total_reach,
        excluded_groups
    FROM ad_repository
)
GROUP BY target_method
ORDER BY advertisements DESC, target_method
