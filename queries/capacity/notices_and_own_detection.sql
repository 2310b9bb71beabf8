/*---
title: What others notice and what a service finds itself
question: How many notices does a service receive, how often does it act on them, and what is that beside its own measures?
why: >-
  A service that acts on most notices and finds little of the same kind itself leaves the search to others. Which kinds of
  content that is so for shows where its own detection is weak (Art. 16 and 34 DSA).
reading: >-
  Each row is a category. `acted_percent` is the share of notices that led to an action. `own_for_each_action` compares
  the measures that the service took by itself; where it is small, others find most.
caveats:
  - A notice may cover several items and an action several notices, so a share can pass 100.
  - Own measures count items, and a seller's many copies count one by one.
datasets: [moderation_capacity]
tiers: [public, registered, vetted]
parameters:
  service: {type: text, label: Service, default: AliExpress}
  since: {type: date, label: First day of the reporting period, default: 2025-07-01}
chart: {kind: bar, x: category, y: acted_percent}
---*/
WITH categories AS (
    SELECT
        category,
        sum(value) FILTER (WHERE report_table = 'notices') AS notices,
        sum(coalesce(acted_by_law, 0) + coalesce(acted_by_terms, 0)) FILTER (WHERE report_table = 'notices') AS actions,
        max(median_hours) FILTER (WHERE report_table = 'notices') AS median_hours,
        sum(value) FILTER (WHERE report_table LIKE 'own_initiative_%') AS own_measures
    FROM moderation_capacity
    WHERE service = $service
      AND period_start = $since
      AND category LIKE 'STATEMENT_CATEGORY_%'
    GROUP BY category
)
SELECT
    replace(category, 'STATEMENT_CATEGORY_', '') AS category,
    CAST(notices AS BIGINT) AS notices,
    CAST(actions AS BIGINT) AS actions,
    round(100 * actions / nullif(notices, 0), 1) AS acted_percent,
    median_hours,
    CAST(coalesce(own_measures, 0) AS BIGINT) AS own_measures,
    round(coalesce(own_measures, 0) / nullif(actions, 0), 1) AS own_for_each_action
FROM categories
WHERE notices > 0
ORDER BY notices DESC, category
