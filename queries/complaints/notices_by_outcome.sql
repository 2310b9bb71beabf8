/*---
title: What becomes of notices, by category
question: For which kinds of infringement do notices lead to an action, and on which ground?
why: >-
  A notice of illegal content that is answered under the terms and conditions avoids saying what the law says. Shares by
  category show where a platform judges and where it does not (Art. 16(6) and 17 DSA).
reading: >-
  Each row is a category; the three shares add up to 100. A category with few actions may have many unfounded notices, or a
  platform that does not look.
caveats:
  - Who is right in a notice that led to nothing cannot be seen; complaints against it can.
  - A statement of reasons that followed gives its own category, which may differ from the notifier's.
  - Only notices from the project's Member States are seen, and days are weeks, by their Monday.
datasets: [notices]
tiers: [vetted]
parameters:
  since: {type: date, label: First week from, default: 2025-06-30}
  until: {type: date, label: Last week until, default: 2025-12-28}
chart: {kind: bar, x: category, y: no_action_percent}
---*/
SELECT
    replace(category, 'STATEMENT_CATEGORY_', '') AS category,
    count(*) AS notices,
    round(100 * count_if(outcome = 'ACTION_LAW') / count(*), 1) AS acted_by_law_percent,
    round(100 * count_if(outcome = 'ACTION_TC') / count(*), 1) AS acted_by_terms_percent,
    round(100 * count_if(outcome = 'NO_ACTION') / count(*), 1) AS no_action_percent,
    round(median(hours_to_decision), 1) AS median_hours
FROM notices
WHERE received_date BETWEEN $since AND $until
GROUP BY category
ORDER BY notices DESC, category
