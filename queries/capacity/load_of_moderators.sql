/*---
title: Moderators and their load, side by side
question: How many measures on its own initiative does a service take for each of its moderators?
why: >-
  Art. 35 DSA asks for resources that fit the risk. The preliminary findings on AliExpress say that its were too few; how
  many measures stand against one moderator is the first figure to look at.
reading: >-
  Each row is a service. `measures_for_each_moderator` is over half a year. Most measures are automated, so read it with
  `automated_percent`: what is left for people is `others_for_each_moderator`.
caveats:
  - >-
    Moderators are the internal and the external ones. The total of moderators with linguistic expertise holds them again,
    and so it is not added.
  - A measure may cover one item or many, and services differ in what they sell; a rank is no verdict.
  - The repository holds the report of AliExpress; other services appear where the steward published theirs.
datasets: [moderation_capacity]
tiers: [public, registered, vetted]
parameters:
  since: {type: date, label: First day of the reporting period, default: 2025-07-01}
chart: {kind: bar, x: service, y: measures_for_each_moderator}
---*/
WITH services AS (
    SELECT
        service,
        sum(value) FILTER (WHERE indicator IN (
            'Number of internal moderators employed by the provider',
            'Number of external moderators contracted by the provider')) AS moderators,
        sum(value) FILTER (WHERE indicator = 'Number of external moderators contracted by the provider') AS external,
        sum(value) FILTER (WHERE report_table LIKE 'own_initiative_%' AND category = 'TOTAL') AS measures,
        sum(automated) FILTER (WHERE report_table LIKE 'own_initiative_%' AND category = 'TOTAL') AS automated
    FROM moderation_capacity
    WHERE period_start = $since
    GROUP BY service
)
SELECT
    service,
    CAST(moderators AS BIGINT) AS moderators,
    round(100 * external / moderators, 1) AS external_percent,
    CAST(measures AS BIGINT) AS measures,
    round(100 * automated / measures, 2) AS automated_percent,
    round(measures / moderators) AS measures_for_each_moderator,
    round((measures - automated) / moderators) AS others_for_each_moderator
FROM services
WHERE moderators > 0
  AND measures > 0
ORDER BY measures_for_each_moderator DESC, service
