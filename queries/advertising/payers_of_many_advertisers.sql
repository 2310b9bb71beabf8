/*---
title: Payers who stand behind several advertisers
question: Which companies paid for advertisements of others, and for how many advertisers?
why: >-
  Art. 39(2)(c) DSA asks who paid where it is not the advertiser. One payer behind many advertisers may be an agency, or
  one seller with many shops.
reading: Each row is a payer. The product category is the one that it paid for most often.
caveats:
  - An agency is an ordinary payer; a high number is no reproach.
  - Natural persons are not named and are left out, and so are removed advertisements.
datasets: [ad_repository]
tiers: [public, registered]
parameters:
  how_many: {type: integer, label: Payers to show, default: 25}
chart: {kind: bar, x: payer_name, y: advertisers}
---*/
SELECT
    payer_name,
    count(DISTINCT advertiser_name) AS advertisers,
    count(*) AS advertisements,
    sum(total_reach) AS reach,
    mode(product_category) AS most_frequent_category
FROM ad_repository
WHERE payer_differs
  AND payer_kind = 'LEGAL_PERSON'
GROUP BY payer_name
ORDER BY advertisers DESC, payer_name
LIMIT $how_many
