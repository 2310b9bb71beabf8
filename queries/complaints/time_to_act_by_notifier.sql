/*---
title: Notices by who sent them
question: Does a marketplace confirm and decide notices of users without an account as it does all others?
why: >-
  Art. 16 DSA lets anyone notify, asks to confirm receipt without undue delay and to decide in a timely manner. AliExpress
  committed to open its notices to users without an account; whether they are served alike shows here.
reading: >-
  Each row is a kind of notifier. Compare medians first, then the hours within which 95 percent were decided: a long tail
  is where notices are forgotten. Trusted flaggers have priority (Art. 22).
caveats:
  - In the demonstration kinds of notifiers, receipts and their hours are assumed, and a difference was put there to be found.
  - A long time may be the time of a hard question.
  - Only notices from the project's Member States are seen, and days are weeks, by their Monday.
datasets: [notices]
tiers: [vetted]
parameters:
  since: {type: date, label: First week from, default: 2025-06-30}
  until: {type: date, label: Last week until, default: 2025-12-28}
chart: {kind: bar, x: notifier, y: median_hours}
---*/
SELECT
    notifier_type AS notifier,
    count(*) AS notices,
    round(100 * count_if(receipt_confirmed) / count(*), 1) AS receipt_confirmed_percent,
    round(median(hours_to_decision), 1) AS median_hours,
    round(quantile_cont(hours_to_decision, 0.95), 1) AS ninety_five_percent_within_hours,
    round(100 * count_if(outcome <> 'NO_ACTION') / count(*), 1) AS acted_percent
FROM notices
WHERE received_date BETWEEN $since AND $until
GROUP BY notifier_type
ORDER BY median_hours DESC, notifier
