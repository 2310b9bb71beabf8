/*---
title: Statements of reasons that follow a notice
question: When a notice led to a statement of reasons, how was the decision taken, and how long did it take to reach the database?
why: >-
  A notice should lead to a decision that a person can stand for, and the statement should say so (Art. 16(6), 17(3)(c)
  DSA). Joined row by row, the two datasets show whether it does.
reading: >-
  Each row is a source and a way of deciding. Hours are from the notice to the decision; days from the decision to the
  database.
caveats:
  - >-
    Few simulated statements follow a notice, as few real ones do. A share of notices with a statement means nothing: the two
    datasets are samples of different size.
  - Only notices from the project's Member States are seen.
datasets: [notices, moderation_statements]
tiers: [vetted]
chart: {kind: bar, x: decided, y: statements, colour: source}
---*/
SELECT
    replace(replace(moderation_statements.source_type, 'SOURCE_', ''), 'TYPE_', '') AS source,
    replace(moderation_statements.automated_decision, 'AUTOMATED_DECISION_', '') AS decided,
    count(*) AS statements,
    count(DISTINCT moderation_statements.trader_ref) AS sellers,
    round(median(notices.hours_to_decision), 1) AS median_hours_to_decide,
    round(avg(moderation_statements.reporting_delay_days), 2) AS mean_days_to_database
FROM notices
JOIN moderation_statements USING (statement_id)
GROUP BY ALL
ORDER BY statements DESC, source, decided
