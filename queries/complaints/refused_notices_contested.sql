/*---
title: Notifiers who do not accept that nothing was done
question: When a notifier contests that a notice led to nothing, who is it, and how often does the decision change?
why: >-
  Art. 20(1) DSA gives notifiers the same right to complain as sellers. Where their complaints succeed, the notice should
  have led to an action at once.
reading: >-
  Each row is a kind of notifier. `changed_percent` is the share of complaints after which the marketplace acted after all.
caveats:
  - Such complaints are few, and shares of few move by chance.
  - Only notices from the project's Member States are joined.
datasets: [complaints, notices]
tiers: [vetted]
chart: {kind: bar, x: notifier, y: complaints}
---*/
SELECT
    notices.notifier_type AS notifier,
    count(*) AS complaints,
    round(100 * count_if(complaints.outcome <> 'UPHELD') / count(*), 1) AS changed_percent,
    round(median(notices.hours_to_decision), 1) AS median_hours_of_the_notice,
    round(median(complaints.hours_to_decision), 1) AS median_hours_of_the_complaint
FROM complaints
JOIN notices USING (notice_id)
GROUP BY notices.notifier_type
ORDER BY complaints DESC, notifier
