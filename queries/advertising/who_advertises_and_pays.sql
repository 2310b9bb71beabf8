/*---
title: Who advertises, and who pays
question: Which advertisers reached most recipients, and how many of their advertisements did somebody else pay for?
why: >-
  Art. 39(2)(b) and (c) DSA ask for the advertiser and, if different, the payer. Studies of repositories found that most
  name one sponsor and leave open who stands behind an advertisement.
reading: >-
  Each row is an advertiser. `payers` counts different payers; all natural persons read alike and count as one.
caveats:
  - Removed advertisements name neither advertiser nor payer and are left out.
  - Reach is of advertisements and adds up recipients who saw several of them.
  - A project that sees the trader's pseudonym sees no names; ask in another.
datasets: [ad_repository]
tiers: [public, registered]
parameters:
  how_many: {type: integer, label: Advertisers to show, default: 25}
chart: {kind: bar, x: advertiser_name, y: reach}
---*/
SELECT
    advertiser_name,
    any_value(advertiser_kind) AS advertiser_kind,
    count(*) AS advertisements,
    sum(total_reach) AS reach,
    count_if(payer_differs) AS paid_by_others,
    count(DISTINCT payer_name) AS payers,
    count_if(payer_kind = 'NATURAL_PERSON') AS paid_by_natural_persons
FROM ad_repository
WHERE status <> 'REMOVED'
GROUP BY advertiser_name
ORDER BY reach DESC NULLS LAST, advertiser_name
LIMIT $how_many
