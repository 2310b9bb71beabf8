/*---
title: How long are products for health and for minors up?
question: How long could buyers see illegal listings of products for health or for minors, compared with others, and were they ordered?
why: >-
  Art. 34(1) DSA names the protection of minors and of public health among systemic risks. For these products each hour
  counts.
reading: >-
  Each row is a kind of product. Only listings found after they appeared are counted; half of them were up longer than
  the median.
caveats:
  - Hours are cut at thirty days, which the median does not feel.
  - An order need not have been delivered.
  - A project sees listings offered in its Member States only.
  - In the demonstration the difference is planted.
datasets: [listing_reappearance]
tiers: [vetted]
chart: {kind: bar, x: product_category, y: median_hours_live, colour: product_group}
---*/
SELECT
    CASE
        WHEN product_category IN ('MEDICINES', 'SUPPLEMENTS', 'COSMETICS') THEN 'health'
        WHEN product_category IN ('TOYS', 'CHILDCARE') THEN 'minors'
        ELSE 'others'
    END AS product_group,
    product_category,
    count(*) AS listings,
    median(hours_live) AS median_hours_live,
    round(100 * count_if(orders_band <> '<1') / count(*), 1) AS ordered_percent,
    round(100 * count_if(safety_gate_alert) / count(*), 1) AS with_safety_gate_alert_percent
FROM listing_reappearance
WHERE detection_stage = 'POST_LISTING'
GROUP BY product_category
ORDER BY median_hours_live DESC, product_category
