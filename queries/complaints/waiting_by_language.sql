/*---
title: How long notices wait in each language, and who can read it
question: Do notices wait longer in languages that few or none of the moderators read?
why: >-
  A platform must have people who can read what users write (Art. 42(2) DSA). Where notices in some languages wait longer,
  thin coverage has consequences, and not only on paper.
reading: >-
  Each row is a language of notices with the moderators that the half-yearly report gives for it. Look for languages
  without moderators among the longest waits.
caveats:
  - >-
    In the demonstration languages follow the Member State and their hours are assumed; a difference was put there to be
    found. Moderators are AliExpress' own, from its report.
  - Kinds of notices differ between countries, and kinds differ in time.
  - Only notices from the project's Member States are seen, and days are weeks, by their Monday.
datasets: [notices, moderation_capacity]
tiers: [vetted]
parameters:
  service: {type: text, label: Service whose moderators are compared, default: AliExpress}
  since: {type: date, label: First week from, default: 2025-06-30}
  until: {type: date, label: Last week until, default: 2025-12-28}
  at_least: {type: integer, label: Leave out languages of fewer notices than, default: 20}
chart: {kind: bar, x: language, y: median_hours}
---*/
WITH waiting AS (
    SELECT
        language,
        count(*) AS notices,
        median(hours_to_decision) AS median_hours,
        quantile_cont(hours_to_decision, 0.95) AS long_hours
    FROM notices
    WHERE received_date BETWEEN $since AND $until
    GROUP BY language
    HAVING count(*) >= $at_least
),
moderators AS (
    SELECT scope AS language, value AS moderators
    FROM moderation_capacity
    WHERE service = $service
      AND report_table = 'human_resources'
      AND period_start = (SELECT max(period_start) FROM moderation_capacity WHERE report_table = 'human_resources')
)
SELECT
    language,
    CAST(coalesce(moderators, 0) AS BIGINT) AS moderators,
    notices,
    round(median_hours, 1) AS median_hours,
    round(long_hours, 1) AS ninety_five_percent_within_hours,
    round(notices / nullif(moderators, 0), 1) AS notices_for_each_moderator
FROM waiting
LEFT JOIN moderators USING (language)
ORDER BY median_hours DESC, language
