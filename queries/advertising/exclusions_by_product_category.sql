/*---
title: Groups kept out, by product category
question: Which groups of people were kept out of advertisements, for which kinds of product?
why: >-
  Art. 39(2)(e) DSA makes repositories show the parameters used to exclude. A group that hardly sees offers of one kind,
  such as credit or articles for small children, may be treated unequally.
reading: >-
  Each row is a category and a group. `times_as_often` is the share of the category's advertisements that exclude the
  group, divided by the share in all other categories; 1 is as everywhere.
caveats:
  - What was last shown more than a year ago has left the repository.
  - An exclusion can be lawful or even a duty (medicines and young people), and says nothing of its purpose.
  - Removed advertisements have no category and are left out.
  - A share of few advertisements is chance; look at `advertisements` first.
datasets: [ad_repository]
tiers: [public, registered, vetted]
parameters:
  at_least: {type: integer, label: Advertisements of the category at least, default: 50}
chart: {kind: heatmap, x: excluded_group, y: product_category, colour: excluding_percent}
---*/
WITH per_category AS (
    SELECT product_category, count(*) AS advertisements
    FROM ad_repository
    WHERE product_category IS NOT NULL
    GROUP BY product_category
),
excluding AS (
    SELECT product_category, excluded_group, count(*) AS excluding
    FROM (
        SELECT product_category, unnest(excluded_groups) AS excluded_group
        FROM ad_repository
        WHERE product_category IS NOT NULL
    )
    GROUP BY product_category, excluded_group
),
whole AS (
    SELECT excluded_group, sum(excluding) AS excluding, (SELECT sum(advertisements) FROM per_category) AS advertisements
    FROM excluding
    GROUP BY excluded_group
)
SELECT
    product_category,
    excluded_group,
    c.advertisements,
    e.excluding AS advertisements_excluding,
    round(100 * e.excluding / c.advertisements, 1) AS excluding_percent,
    round((e.excluding / c.advertisements)
        / nullif((w.excluding - e.excluding) / nullif(w.advertisements - c.advertisements, 0), 0), 1) AS times_as_often
FROM excluding AS e
JOIN per_category AS c USING (product_category)
JOIN whole AS w USING (excluded_group)
WHERE c.advertisements >= $at_least
ORDER BY times_as_often DESC NULLS LAST, product_category, excluded_group
