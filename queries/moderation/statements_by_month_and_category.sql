/*---
title: Statements by month and category
question: How many statements of reasons did a marketplace send each month, and for which kinds of infringement?
why: >-
  It shows where a platform says that it acts, and when labels move. A fall in one category is a finding only when no
  other category took its place.
reading: >-
  Each line is a category. Look at the total and at neighbouring categories before reading a fall or a rise of one.
caveats:
  - >-
    AliExpress' unsafe and/or illegal products nearly vanish from March to May 2025 while the scope of the platform
    service rises; that labels moved is an inference from the counts.
  - Categories were renamed on 2025-07-01, so lines end and begin there.
  - A statement is a decision that was reported; platforms differ in what they count as one decision.
datasets: [dsa_transparency_daily]
tiers: [public, registered, vetted]
parameters:
  platform:
    type: text
    label: Marketplace
    default: AliExpress
    values: [AliExpress, Amazon Store, eBay, Shein, Temu, Vinted, Zalando]
  since: {type: date, label: From, default: 2025-01-01}
  until: {type: date, label: Until, default: 2025-12-31}
chart: {kind: line, x: month, y: statements, colour: category}
---*/
SELECT
    CAST(date_trunc('month', day) AS DATE) AS month,
    replace(value, 'STATEMENT_CATEGORY_', '') AS category,
    sum(statements) AS statements
FROM dsa_transparency_daily
WHERE field = 'category'
  AND platform = $platform
  AND day BETWEEN $since AND $until
GROUP BY ALL
ORDER BY month, statements DESC
