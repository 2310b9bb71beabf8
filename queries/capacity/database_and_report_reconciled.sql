/*---
title: The Transparency Database against the half-yearly report
question: Do the two official sources on a platform's own measures agree, and by how much do they differ?
why: >-
  A platform sends each decision to the Transparency Database (Art. 24(5) DSA) and reports its measures twice a year
  (Art. 15 and 42). A finding that rests on one source should know what the other says.
reading: >-
  Each row is a service. `sent_without_notice` are statements of the period whose source is the platform's own
  initiative; `reported` are own-initiative measures of the report, against illegal content and under the terms. A ratio of
  1 would be agreement.
caveats:
  - >-
    The definitions differ: a statement is one decision told to one user, a measure may cover several items, and a statement
    may hold several restrictions. A difference is a question to the platform and no sign of misconduct.
  - Statements count by the day on which they were sent, measures by the day on which they were taken.
  - The repository holds the report of AliExpress; other services appear where the steward published theirs.
datasets: [dsa_transparency_daily, moderation_capacity]
tiers: [public, registered, vetted]
parameters:
  since: {type: date, label: First day of the reporting period, default: 2025-07-01}
  until: {type: date, label: Last day of the reporting period, default: 2025-12-31}
chart: {kind: bar, x: service, y: sent_for_each_reported}
---*/
WITH sent AS (
    SELECT
        platform,
        sum(statements) FILTER (WHERE field = 'rows') AS statements,
        sum(statements) FILTER (WHERE value = 'SOURCE_VOLUNTARY') AS own_initiative
    FROM dsa_transparency_daily
    WHERE day BETWEEN $since AND $until
      AND field IN ('rows', 'source_type')
    GROUP BY platform
),
reported AS (
    SELECT service, database_name AS platform, sum(value) AS measures
    FROM moderation_capacity
    WHERE period_start = $since
      AND report_table IN ('own_initiative_illegal', 'own_initiative_terms')
      AND category = 'TOTAL'
    GROUP BY ALL
)
SELECT
    service,
    CAST(sent.statements AS BIGINT) AS statements_sent,
    CAST(sent.own_initiative AS BIGINT) AS sent_without_notice,
    CAST(reported.measures AS BIGINT) AS reported,
    CAST(sent.own_initiative - reported.measures AS BIGINT) AS difference,
    round(sent.own_initiative / reported.measures, 2) AS sent_for_each_reported
FROM reported
JOIN sent USING (platform)
ORDER BY reported DESC, service
