/*---
title: Users of a country against moderators of its language
question: For how many users of a Member State is there one moderator who reads a language of that State?
why: >-
  Users write notices and complaints in their own language. Where tens of millions share two moderators, Art. 20(6) DSA,
  which asks for qualified staff, can hardly be kept.
reading: >-
  Each row is a Member State with its largest language. An empty figure means no moderator at all. One moderator counts in
  every language that they read, and for every country that speaks it.
caveats:
  - >-
    Countries with several languages have their largest one here: Dutch for Belgium, French for Luxembourg, English for
    Ireland and Malta.
  - Users are monthly active ones, not those who write.
datasets: [moderation_capacity]
tiers: [public, registered, vetted]
parameters:
  service: {type: text, label: Service, default: AliExpress}
  since: {type: date, label: First day of the reporting period, default: 2025-07-01}
chart: {kind: bar, x: country, y: users_in_millions, colour: language}
---*/
WITH spoken (country, language) AS (
    VALUES ('AT', 'de'), ('BE', 'nl'), ('BG', 'bg'), ('CY', 'el'), ('CZ', 'cs'), ('DE', 'de'), ('DK', 'da'), ('EE', 'et'),
        ('ES', 'es'), ('FI', 'fi'), ('FR', 'fr'), ('GR', 'el'), ('HR', 'hr'), ('HU', 'hu'), ('IE', 'en'), ('IT', 'it'),
        ('LT', 'lt'), ('LU', 'fr'), ('LV', 'lv'), ('MT', 'en'), ('NL', 'nl'), ('PL', 'pl'), ('PT', 'pt'), ('RO', 'ro'),
        ('SE', 'sv'), ('SI', 'sl'), ('SK', 'sk')
),
users AS (
    SELECT scope AS country, value AS users
    FROM moderation_capacity
    WHERE service = $service
      AND period_start = $since
      AND report_table = 'recipients'
      AND scope <> 'TOTAL'
),
moderators AS (
    SELECT scope AS language, value AS moderators
    FROM moderation_capacity
    WHERE service = $service
      AND period_start = $since
      AND report_table = 'human_resources'
)
SELECT
    country,
    language,
    round(users / 1e6, 2) AS users_in_millions,
    CAST(coalesce(moderators, 0) AS BIGINT) AS moderators,
    round(users / nullif(moderators, 0)) AS users_for_each_moderator
FROM users
JOIN spoken USING (country)
LEFT JOIN moderators USING (language)
ORDER BY users DESC, country
