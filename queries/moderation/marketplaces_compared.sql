/*---
title: Marketplaces side by side
question: >-
  How many statements did each marketplace send in a period, and which shares were automated, led to by a notice, and
  based on illegality?
why: Numbers of one platform mean little alone. Side by side they show where practice, or reporting, differs.
reading: >-
  Each row is a marketplace. Shares are of its own statements, so a large platform can have a small share.
caveats:
  - Platforms differ in size, in what they sell and in what they count as one decision; a rank is no verdict.
  - >-
    A ground of illegality is a legal qualification that platforms may avoid by relying on their terms and conditions.
datasets: [dsa_transparency_daily]
tiers: [public, registered, vetted]
parameters:
  since: {type: date, label: From, default: 2025-07-01}
  until: {type: date, label: Until, default: 2025-12-31}
chart: {kind: bar, x: platform, y: statements}
---*/
SELECT
    platform,
    sum(statements) FILTER (WHERE field = 'rows') AS statements,
    round(100 * sum(statements) FILTER (WHERE value = 'AUTOMATED_DECISION_FULLY')
        / sum(statements) FILTER (WHERE field = 'rows'), 2) AS fully_automated_percent,
    round(100 * coalesce(sum(statements) FILTER (WHERE value IN ('SOURCE_ARTICLE_16', 'SOURCE_TRUSTED_FLAGGER')), 0)
        / sum(statements) FILTER (WHERE field = 'rows'), 3) AS after_a_notice_percent,
    round(100 * coalesce(sum(statements) FILTER (WHERE value = 'DECISION_GROUND_ILLEGAL_CONTENT'), 0)
        / sum(statements) FILTER (WHERE field = 'rows'), 2) AS held_illegal_percent
FROM dsa_transparency_daily
WHERE day BETWEEN $since AND $until
GROUP BY platform
HAVING sum(statements) FILTER (WHERE field = 'rows') > 0
ORDER BY statements DESC
