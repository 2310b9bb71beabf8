/*---
title: Where restrictions hold
question: In how many statements does the restriction hold in each country, and in how many there alone?
why: >-
  Content that is unlawful in one Member State only may be restricted there only. Where restrictions hold shows whether
  a platform acts for one country or for the whole Union.
reading: >-
  A statement counts in each country that it names, so countries do not add up. `here_only` are those that name no
  other country.
caveats:
  - Only statements that hold in the project's Member States are seen, and so other countries appear with them only.
  - In the demonstration each statement is for the whole Union or for one country, by assumption.
datasets: [moderation_statements]
tiers: [vetted]
parameters:
  since: {type: date, label: From, default: 2025-01-01}
  until: {type: date, label: Until, default: 2025-12-31}
chart: {kind: bar, x: country, y: here_only}
---*/
WITH countries AS (
    SELECT unnest(territorial_scope) AS country, len(territorial_scope) = 1 AS alone
    FROM moderation_statements
    WHERE created_at BETWEEN $since AND $until
)
SELECT country, count(*) AS statements, count_if(alone) AS here_only
FROM countries
GROUP BY country
ORDER BY statements DESC, country
