/*---
title: Complaints and how many were right, side by side
question: How many internal complaints does a service receive, and how often does its decision not stand?
why: >-
  A decision that is reversed on complaint was wrong, or could not be explained. Where most do not stand, the first
  decisions are at fault; where hardly any complaint comes, the way to complain may be (Art. 20 DSA).
reading: >-
  Each row is a service. `reversed_percent` is of all complaints, partial reversals included. Read it together with the
  number of complaints for a million measures.
caveats:
  - Only contested decisions are looked at again, so the share says little about all others.
  - >-
    Some services count complaints that were never decided, and some give medians in another unit than hours, so outcomes need
    not add up.
  - The repository holds the report of AliExpress; other services appear where the steward published theirs.
datasets: [moderation_capacity]
tiers: [public, registered, vetted]
parameters:
  since: {type: date, label: First day of the reporting period, default: 2025-07-01}
chart: {kind: bar, x: service, y: reversed_percent}
---*/
WITH lodged AS (
    SELECT
        service,
        max(value) FILTER (WHERE scope = 'Total number') AS complaints,
        max(value) FILTER (WHERE scope = 'Decisions reversed') AS reversed,
        max(value) FILTER (WHERE scope = 'Decisions partially reversed') AS partly,
        max(value) FILTER (WHERE scope = 'Median time') AS median_hours
    FROM moderation_capacity
    WHERE period_start = $since
      AND indicator = 'Number of complaints submitted to the internal-complaints mechanism'
      AND surface IN ('All', 'Core')
    GROUP BY service
),
measures AS (
    SELECT service, sum(value) AS measures
    FROM moderation_capacity
    WHERE period_start = $since
      AND report_table LIKE 'own_initiative_%'
      AND category = 'TOTAL'
    GROUP BY service
)
SELECT
    service,
    CAST(complaints AS BIGINT) AS complaints,
    round(100 * (coalesce(reversed, 0) + coalesce(partly, 0)) / complaints, 1) AS reversed_percent,
    median_hours,
    round(1e6 * complaints / measures, 1) AS complaints_per_million_measures
FROM lodged
LEFT JOIN measures USING (service)
WHERE complaints > 0
ORDER BY complaints DESC, service
