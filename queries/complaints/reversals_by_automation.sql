/*---
title: Do automated decisions stand less often?
question: How often is a contested decision reversed, by how far it was automated?
why: >-
  The preliminary findings say that AliExpress' moderation systems fail in ways that its own figures of accuracy do not
  show. Reversals on complaint are an independent measure of error, and statement by statement they meet automation.
reading: >-
  Each row is how content was found and how the decision was taken. Compare the shares, and mind the number of complaints
  behind each.
caveats:
  - Only contested decisions are looked at again; who complains may go with automation as well.
  - In the demonstration a difference by automation was put there to be found.
  - Only complaints about statements that hold in the project's Member States are joined.
datasets: [complaints, moderation_statements]
tiers: [vetted]
parameters:
  at_least: {type: integer, label: Leave out rows of fewer complaints than, default: 20}
chart: {kind: bar, x: decided, y: reversed_percent, colour: found_by}
---*/
SELECT
    replace(moderation_statements.automated_decision, 'AUTOMATED_DECISION_', '') AS decided,
    CASE moderation_statements.automated_detection WHEN 'Yes' THEN 'automated means' ELSE 'people' END AS found_by,
    count(*) AS complaints,
    round(100 * count_if(complaints.outcome IN ('REVERSED', 'PARTIALLY_REVERSED')) / count(*), 1) AS reversed_percent
FROM complaints
JOIN moderation_statements USING (statement_id)
GROUP BY ALL
HAVING count(*) >= $at_least
ORDER BY reversed_percent DESC, decided, found_by
