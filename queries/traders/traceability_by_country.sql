/*---
title: How complete is what the platform knows of its traders?
question: For which share of traders is the information under Art. 30 complete, checked, and shown to buyers, by country?
why: >-
  Art. 30(1) DSA lets only those traders sell who gave the information, Art. 30(2) asks for best efforts to check it,
  and Art. 30(7) for showing it.
reading: >-
  Each row is a country of establishment. Complete says that all parts were given, verified that they were found
  reliable; verified can be no larger than complete.
caveats:
  - Natural persons and countries with few traders are told as within or outside of the Union only.
  - A part that was given can be false; see verified.
  - Figures are rounded before they are divided; one that rests on few traders is withheld and has no value.
datasets: [traders]
tiers: [registered, vetted]
chart: {kind: bar, x: establishment_country, y: complete_percent}
---*/
WITH counted AS (
    SELECT
        establishment_country,
        count(*) AS traders,
        count(*) FILTER (WHERE information_complete = true) AS complete,
        count(*) FILTER (WHERE verification_status = 'VERIFIED') AS verified,
        count(*) FILTER (WHERE info_displayed = true) AS displayed,
        count(*) FILTER (WHERE eu_responsible_person = true) AS responsible
    FROM traders
    GROUP BY establishment_country
)
SELECT
    establishment_country,
    traders,
    round(100.0 * complete / traders, 1) AS complete_percent,
    round(100.0 * verified / traders, 1) AS verified_percent,
    round(100.0 * displayed / traders, 1) AS shown_to_buyers_percent,
    round(100.0 * responsible / traders, 1) AS with_responsible_person_percent
FROM counted
ORDER BY traders DESC, establishment_country
