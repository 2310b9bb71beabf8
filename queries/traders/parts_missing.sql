/*---
title: Which parts of the information on traders are missing?
question: How often was each part of the information under Art. 30(1) given, by traders in the affiliate programme and others?
why: >-
  A register is as good as its weakest part. The commitments of a marketplace of June 2025 name the traceability of
  affiliates as well as that of traders.
reading: >-
  Each row is a part of the information and a group of traders. Natural persons owe no entry in a trade register, so
  that part is counted for companies only.
caveats:
  - That a part was given does not tell that it is true.
  - Figures are rounded before they are divided.
  - In the demonstration the difference between the groups is planted.
datasets: [traders]
tiers: [vetted]
chart: {kind: heatmap, x: affiliate_programme, y: part, colour: given_percent}
---*/
WITH everyone AS (
    SELECT
        affiliate_enrolled,
        count(*) AS traders,
        count(*) FILTER (WHERE has_contact_details = true) AS contact,
        count(*) FILTER (WHERE has_identity_document = true) AS identity,
        count(*) FILTER (WHERE has_payment_account = true) AS payment,
        count(*) FILTER (WHERE has_self_certification = true) AS certification
    FROM traders
    GROUP BY affiliate_enrolled
),
companies AS (
    SELECT affiliate_enrolled, count(*) AS traders, count(*) FILTER (WHERE has_trade_register = true) AS register
    FROM traders
    WHERE trader_type = 'LEGAL_PERSON'
    GROUP BY affiliate_enrolled
),
parts AS (
    SELECT '(a) contact details' AS part, affiliate_enrolled, traders, contact AS given FROM everyone
    UNION ALL
    SELECT '(b) identity document', affiliate_enrolled, traders, identity FROM everyone
    UNION ALL
    SELECT '(c) payment account', affiliate_enrolled, traders, payment FROM everyone
    UNION ALL
    SELECT '(d) trade register', affiliate_enrolled, traders, register FROM companies
    UNION ALL
    SELECT '(e) self-certification', affiliate_enrolled, traders, certification FROM everyone
)
SELECT
    part,
    CASE WHEN affiliate_enrolled THEN 'in the programme' ELSE 'others' END AS affiliate_programme,
    traders,
    given,
    round(100.0 * given / traders, 1) AS given_percent
FROM parts
ORDER BY part, affiliate_programme
