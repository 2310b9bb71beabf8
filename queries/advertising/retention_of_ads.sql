/*---
title: Is the repository kept for as long as the law says?
question: Until when is each advertisement kept, and is one there that should have left?
why: >-
  Art. 39(1) DSA has an advertisement in the repository until one year after it was last presented. Studies found
  repositories that lose advertisements early; one that keeps them longer has no ground to.
reading: >-
  Each row is a month in which advertisements were last shown. `not_one_year` and `kept_too_long` should be 0 in each.
  The first month is cut where retention has run out.
caveats:
  - That nothing is missing cannot be seen from what is there; hold counts of an earlier release against it.
  - Days are exact in the public repository only, not where the trader's pseudonym is shown.
datasets: [ad_repository]
tiers: [public, registered]
parameters:
  as_of: {type: date, label: As of, default: 2026-11-24}
chart: {kind: bar, x: last_shown_in, y: advertisements}
---*/
SELECT
    CAST(date_trunc('month', last_shown) AS DATE) AS last_shown_in,
    count(*) AS advertisements,
    min(retention_until) AS first_to_leave,
    count_if(retention_until <> CAST(last_shown + INTERVAL 1 YEAR AS DATE)) AS not_one_year,
    count_if(retention_until < $as_of) AS kept_too_long
FROM ad_repository
GROUP BY last_shown_in
ORDER BY last_shown_in
