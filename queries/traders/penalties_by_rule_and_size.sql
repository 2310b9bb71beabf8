/*---
title: Do large sellers meet milder penalties than the rule says?
question: For like breaches, how often was the penalty milder than the platform's own rule prescribes, by size of seller?
why: >-
  Art. 14(4) DSA asks platforms to apply their terms objectively and proportionately. If those who bring more business
  are spared what others get for the same breach, the rule is not the rule.
reading: >-
  Each row is a severity and a size of seller. Compare the shares of one severity from size to size: milder is every
  measure below the one prescribed. Sellers with many breaches are compared with each other in another query.
caveats:
  - A milder measure can be right in a single case; what counts is the difference between groups.
  - The size is that of the day of the register and not of the decision.
  - Natural persons who trade are not in the rows.
  - In the demonstration the difference is planted.
datasets: [trader_penalties]
tiers: [vetted]
parameters:
  most: {type: integer, label: Breaches of the seller at most, default: 3}
chart: {kind: heatmap, x: seller_size, y: severity, colour: milder_percent}
---*/
SELECT
    severity,
    seller_size,
    count(*) AS decisions,
    count_if(penalty_applied = penalty_policy) AS as_prescribed,
    round(100 * count_if(
        list_position(['NONE', 'WARNING', 'RESTRICTION', 'SUSPENSION', 'CLOSURE'], penalty_applied)
        < list_position(['NONE', 'WARNING', 'RESTRICTION', 'SUSPENSION', 'CLOSURE'], penalty_policy)
    ) / count(*), 1) AS milder_percent
FROM trader_penalties
WHERE offence_no <= $most
GROUP BY severity, seller_size
ORDER BY severity, list_position(['SMALL', 'MEDIUM', 'LARGE'], seller_size)
