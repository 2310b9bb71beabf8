/*---
title: Delay of reporting, by automation
question: Do statements of automated decisions reach the database sooner than those that a person took?
why: >-
  Art. 24(5) DSA asks platforms to send statements without undue delay. Where automation makes no difference, what
  holds statements up lies behind the decision.
reading: >-
  Each row is a way of deciding. The median is the usual statement; where the mean is far above it, few statements came
  very late.
caveats:
  - Days are whole, so a delay of some hours is 0 or 1.
  - In the demonstration delays and automation go together only as far as both follow the month.
  - Only statements that hold in the project's Member States are seen.
datasets: [moderation_statements]
tiers: [vetted]
chart: {kind: bar, x: decided, y: mean_days}
---*/
SELECT
    replace(automated_decision, 'AUTOMATED_DECISION_', '') AS decided,
    count(*) AS statements,
    round(avg(reporting_delay_days), 2) AS mean_days,
    median(reporting_delay_days) AS median_days,
    quantile_cont(reporting_delay_days, 0.95) AS ninety_five_percent_within_days
FROM moderation_statements
WHERE reporting_delay_days IS NOT NULL
GROUP BY automated_decision
ORDER BY statements DESC, decided
