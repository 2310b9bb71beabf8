/*---
title: What can be switched, by component
question: How many parameters of each component can be changed while the system runs, and how many are on by default?
why: >-
  A parameter that can be switched can be tested on some users. Where most switches are shows where a system is tuned.
reading: >-
  `on_by_default` counts switches of yes or no whose published default is yes. `with_documentation` tells how far the
  source code explains itself.
caveats:
  - The day is that of first publication; the commit is not stated.
  - Names repeat within two components, so these are declarations and not different parameters.
datasets: [recommender_source_code]
tiers: [public, registered, vetted]
chart: {kind: bar, x: component, y: declarations}
---*/
SELECT
    component,
    count(*) AS declarations,
    count(feature_switch) AS switchable,
    count_if(default_value = 'true') AS on_by_default,
    count_if(default_value = 'false') AS off_by_default,
    count_if(minimum IS NOT NULL) AS with_bounds,
    count_if(documentation IS NOT NULL) AS with_documentation
FROM recommender_source_code
WHERE parameter_kind IS NOT NULL
GROUP BY component
ORDER BY declarations DESC, component
