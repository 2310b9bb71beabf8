/*---
title: Languages of moderators against languages of measures
question: In which languages does a service take decisions with people while few of its moderators read them?
why: >-
  Art. 42(2) DSA makes services tell the linguistic expertise of those who moderate. A language in which much is decided and
  few can read is a gap in the resources that Art. 35 asks for.
reading: >-
  Each row is a language. A gap is a row with measures and no moderator, or with many measures for each. One moderator
  counts in every language that they read at level B2 or better.
caveats:
  - Measures are by the language of the content where the service tells it; many listings are in English or translated.
  - Some services give Member States in place of languages; they are left out here.
datasets: [moderation_capacity]
tiers: [public, registered, vetted]
parameters:
  service: {type: text, label: Service, default: AliExpress}
  since: {type: date, label: First day of the reporting period, default: 2025-07-01}
chart: {kind: bar, x: language, y: measures_of_people}
---*/
WITH languages AS (
    SELECT
        scope AS language,
        sum(value) FILTER (WHERE report_table = 'human_resources') AS moderators,
        sum(value) FILTER (WHERE indicator = 'Number of measures not taken by automated means') AS measures_of_people,
        sum(value) FILTER (WHERE indicator = 'Number of measures solely taken by automated means') AS automated_measures
    FROM moderation_capacity
    WHERE service = $service
      AND period_start = $since
      AND regexp_full_match(scope, '[a-z]{2}')
    GROUP BY scope
)
SELECT
    language,
    CAST(coalesce(moderators, 0) AS BIGINT) AS moderators,
    CAST(coalesce(measures_of_people, 0) AS BIGINT) AS measures_of_people,
    CAST(coalesce(automated_measures, 0) AS BIGINT) AS automated_measures,
    round(measures_of_people / nullif(moderators, 0)) AS measures_of_people_for_each
FROM languages
ORDER BY measures_of_people DESC, automated_measures DESC, language
