/*---
title: What led to decisions
question: How many of a marketplace's decisions followed a notice, and how many its own initiative?
why: >-
  Notice and action (Art. 16 DSA) is how people outside the platform report illegal content; trusted flaggers (Art. 22)
  have priority in it. Few decisions after notices can mean few notices, or few that led to a decision.
reading: Own initiative is left out of the chart's scale by counting per million statements.
caveats:
  - Notices that led to no restriction leave no statement, so this is not the number of notices.
  - Some platforms did not label trusted flaggers at first.
datasets: [dsa_transparency_daily]
tiers: [public, registered, vetted]
parameters:
  platform:
    type: text
    label: Marketplace
    default: AliExpress
    values: [AliExpress, Amazon Store, eBay, Shein, Temu, Vinted, Zalando]
chart: {kind: bar, x: month, y: per_million_statements, colour: source}
---*/
WITH monthly AS (
    SELECT CAST(date_trunc('month', day) AS DATE) AS month, value AS source, sum(statements) AS statements
    FROM dsa_transparency_daily
    WHERE field = 'source_type'
      AND platform = $platform
    GROUP BY ALL
)
SELECT
    month,
    source,
    statements,
    round(1e6 * statements / sum(statements) OVER (PARTITION BY month), 1) AS per_million_statements
FROM monthly
QUALIFY source <> 'SOURCE_VOLUNTARY'
ORDER BY month, source
