/*---
title: Unsafe products, read narrowly and broadly
question: >-
  How many statements are about unsafe or prohibited products, if only those labels count, and if the labels count too
  that took their place?
why: >-
  AliExpress' statements on unsafe products fell by 98 percent from March to May 2025 while another label rose. A risk
  assessment that follows one label would report a success that may be a change of words (Art. 34 DSA).
reading: >-
  The narrow line counts the labels of unsafe products in both schemas. The broad line adds the scope of the service and
  other violations of the terms. The truth for unsafe products lies between the two; where they part, labels moved.
caveats:
  - Nothing public documents a relabelling; that labels moved is an inference from these counts.
  - The broad line holds much that has nothing to do with product safety.
  - Categories were renamed on 2025-07-01, which moves statements on every platform.
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
chart: {kind: line, x: month, y: statements, colour: reading}
---*/
WITH labelled AS (
    SELECT
        CAST(date_trunc('month', day) AS DATE) AS month,
        value LIKE 'STATEMENT_CATEGORY_UNSAFE%' AS is_narrow,
        statements
    FROM dsa_transparency_daily
    WHERE field = 'category'
      AND platform = $platform
      AND day BETWEEN $since AND $until
      AND (value LIKE 'STATEMENT_CATEGORY_UNSAFE%'
           OR value IN ('STATEMENT_CATEGORY_SCOPE_OF_PLATFORM_SERVICE', 'STATEMENT_CATEGORY_OTHER_VIOLATION_TC'))
)
SELECT month, 'narrow' AS reading, coalesce(sum(statements) FILTER (WHERE is_narrow), 0) AS statements
FROM labelled
GROUP BY month
UNION ALL
SELECT month, 'broad' AS reading, sum(statements) AS statements
FROM labelled
GROUP BY month
ORDER BY month, reading
