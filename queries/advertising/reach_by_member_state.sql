/*---
title: Reach by Member State
question: How many advertisements were shown in each Member State, how many recipients did they reach, and how young?
why: >-
  Art. 39(2)(g) DSA asks for aggregate numbers by Member State. They show where advertising is dense, and where a
  national authority should look.
reading: >-
  Reach adds up advertisements, so that one recipient counts as often as advertisements reached them.
  `young_percent` is the share of 18 to 24 in what is shown by age.
caveats:
  - Figures of fewer than 100 are withheld; `withheld` counts the age and gender cells concerned.
  - In small Member States most cells are withheld, and the share of the young rests on large advertisements alone.
datasets: [ad_reach]
tiers: [public, registered, vetted]
chart: {kind: bar, x: member_state, y: reach}
---*/
SELECT
    member_state,
    count(DISTINCT ad_id) AS advertisements,
    sum(reach) FILTER (WHERE age_band = 'ALL') AS reach,
    round(100 * sum(reach) FILTER (WHERE age_band = '18-24') / sum(reach) FILTER (WHERE age_band <> 'ALL'), 1)
        AS young_percent,
    count_if(is_withheld AND age_band <> 'ALL') AS withheld
FROM ad_reach
GROUP BY member_state
ORDER BY reach DESC NULLS LAST, member_state
