/*---
title: Parameters whose names point to facts about people
question: How many parameters name a place, a language, a device, a history, an interest or a gender?
why: >-
  Whether a recommender profiles its users (Art. 38 DSA) is nowhere stated for each parameter of 2023. Names are a first
  sieve that tells which ones to read.
reading: >-
  Each row is a kind of fact and a year. A parameter can stand in several rows. Look at the parameters themselves before
  saying anything of them.
caveats:
  - >-
    A name is a hint and no proof. It may name a fact about a post or a service, and an input that profiles may have a
    name that says nothing.
  - The lists of words are short and ours; change the query to try others.
  - The files of 2023 cover many services, that of 2026 one, so numbers of the two years do not compare.
datasets: [recommender_source_code]
tiers: [public, registered, vetted]
chart: {kind: bar, x: fact, y: declarations, colour: year}
---*/
WITH facts AS (
    SELECT fact, words
    FROM (
        VALUES
            ('device', 'device|installed_?apps?'),
            ('gender', 'gender'),
            ('history', 'history|engagement_?signals?|impressed'),
            ('interest', 'interest|topic'),
            ('language', 'language|locale'),
            ('place', 'country|location|_geo_|geo_?features')
    ) AS listed (fact, words)
)
SELECT
    fact,
    CAST(year(as_of) AS VARCHAR) AS year,
    count(*) AS declarations,
    count_if(default_value = 'true') AS on_by_default,
    count_if(default_value = 'false') AS off_by_default,
    min(parameter) AS an_example
FROM recommender_source_code
JOIN facts ON regexp_matches(lower(concat_ws(' ', parameter, feature_switch)), words)
WHERE role IS DISTINCT FROM 'scoring_weight'
GROUP BY fact, year
ORDER BY fact, year
