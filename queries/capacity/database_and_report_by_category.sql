/*---
title: The Transparency Database against the report, by category
question: In which categories do statements sent and measures reported part?
why: >-
  Totals can hide that one source uses another label. Risk assessments are made category by category, so a difference
  there can move a risk up or down (Art. 34 DSA).
reading: >-
  Each row is a category of the harmonised vocabulary. Read large differences in percent of the larger source; a category
  with statements and no measures, or the reverse, is a question of labels first.
caveats:
  - >-
    The definitions differ: statements count decisions told to users after notices too, the report's tables 5 and 6 count
    measures on the platform's own initiative. A difference is no sign of misconduct.
  - Statements count by the day on which they were sent, measures by the day on which they were taken.
datasets: [dsa_transparency_daily, moderation_capacity]
tiers: [public, registered, vetted]
parameters:
  service: {type: text, label: Service, default: AliExpress}
  since: {type: date, label: First day of the reporting period, default: 2025-07-01}
  until: {type: date, label: Last day of the reporting period, default: 2025-12-31}
chart: {kind: bar, x: category, y: difference}
---*/
WITH reported AS (
    SELECT database_name AS platform, category, sum(value) AS measures
    FROM moderation_capacity
    WHERE service = $service
      AND period_start = $since
      AND report_table IN ('own_initiative_illegal', 'own_initiative_terms')
      AND category LIKE 'STATEMENT_CATEGORY_%'
    GROUP BY ALL
),
sent AS (
    SELECT value AS category, sum(statements) AS statements
    FROM dsa_transparency_daily
    WHERE day BETWEEN $since AND $until
      AND field = 'category'
      AND platform IN (SELECT platform FROM reported)
    GROUP BY value
)
SELECT
    replace(category, 'STATEMENT_CATEGORY_', '') AS category,
    CAST(coalesce(sent.statements, 0) AS BIGINT) AS statements_sent,
    CAST(coalesce(reported.measures, 0) AS BIGINT) AS reported,
    CAST(coalesce(sent.statements, 0) - coalesce(reported.measures, 0) AS BIGINT) AS difference
FROM sent
FULL JOIN reported USING (category)
ORDER BY abs(difference) DESC, category
