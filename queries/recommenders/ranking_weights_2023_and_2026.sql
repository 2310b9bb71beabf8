/*---
title: Ranking weights, 2023 and 2026
question: How did the weight of the same kind of action change, measured in likes?
why: >-
  Weights decide what is amplified. A change of a weight changes what people see, and Art. 27 DSA asks platforms to say
  what their main parameters are.
reading: >-
  Scales differ between years, so each weight is divided by the weight of a like of the same ranking: 10 means ten
  times a like, and a minus sign pushes down.
caveats:
  - >-
    Actions are matched by their names, and a name may stand for another action: in 2023 a reply, a click or a look at a
    profile counts only with what follows it. Read it as an order of size.
  - These are declared weights; the publisher says that production may differ.
  - Actions that only one of the years has are left out.
datasets: [recommender_source_code]
tiers: [vetted]
chart: {kind: bar, x: action, y: in_likes, colour: year}
---*/
WITH weights AS (
    SELECT
        year(as_of) AS year,
        parameter,
        weight,
        CASE
            WHEN regexp_matches(lower(parameter), 'bidirectional|quoted|boost|engaged_by') THEN NULL
            WHEN regexp_matches(lower(parameter), 'report') THEN 'report'
            WHEN regexp_matches(lower(parameter), 'fav') THEN 'like'
            WHEN regexp_matches(lower(parameter), 'retweet') THEN 'repost'
            WHEN regexp_matches(lower(parameter), 'reply') THEN 'reply'
            WHEN regexp_matches(lower(parameter), 'profile_?click') THEN 'look at the profile'
            WHEN regexp_matches(lower(parameter), 'negative_feedback|notinterested|mute') THEN 'not interested'
            WHEN regexp_matches(lower(parameter), 'video_playback|^vqv') THEN 'watch a video'
            WHEN regexp_matches(lower(parameter), '(^|_|good_)click') THEN 'click'
        END AS action
    FROM recommender_source_code
    WHERE weight IS NOT NULL
      AND parameter_kind IS NULL
),
relative AS (
    SELECT
        year,
        action,
        parameter,
        weight,
        round(weight / max(weight) FILTER (WHERE action = 'like') OVER (PARTITION BY year), 2) AS in_likes
    FROM weights
    WHERE action IS NOT NULL
)
SELECT action, CAST(year AS VARCHAR) AS year, parameter, weight, in_likes
FROM relative
QUALIFY min(year) OVER (PARTITION BY action) < max(year) OVER (PARTITION BY action)
ORDER BY action, year, parameter
