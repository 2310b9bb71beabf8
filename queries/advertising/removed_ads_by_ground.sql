/*---
title: Removed advertisements, by ground and by what led to it
question: Why were advertisements removed, what led to it, and how long had they been shown?
why: >-
  Art. 39(3) DSA keeps removed advertisements in the repository with their ground. Days until removal tell how long
  an unlawful advertisement reaches people, and whether it takes a notice to find it.
reading: >-
  Each row is a ground and a source. Half of the removed advertisements had been shown for `median_days` or less, nine in
  ten for `nine_in_ten_days` or less. `reach` is what they had reached.
caveats:
  - Content and advertiser are withheld by law, so that nothing can be said by product or seller.
  - An advertisement that ended before it was found counts as ended and not as removed.
datasets: [ad_repository]
tiers: [public, registered, vetted]
chart: {kind: bar, x: removal_ground, y: removed, colour: removal_source}
---*/
SELECT
    removal_ground,
    removal_source,
    count(*) AS removed,
    round(100 * count(*) / (SELECT count(*) FROM ad_repository), 2) AS of_all_percent,
    median(days_to_removal) AS median_days,
    quantile_cont(days_to_removal, 0.9) AS nine_in_ten_days,
    round(100 * avg(CAST(removal_automated_decision AS INTEGER)), 1) AS decided_by_machine_percent,
    sum(total_reach) AS reach
FROM ad_repository
WHERE status = 'REMOVED'
GROUP BY removal_ground, removal_source
ORDER BY removed DESC, removal_ground, removal_source
