/*---
title: Which facts about the user may be used
question: Which inputs that describe the user can the recommender take, and are they on by default?
why: >-
  Art. 38 DSA asks very large platforms for an option that is not based on profiling. Which inputs there are, and
  whether they are on, shows what such an option must do without.
reading: Each row is an input. `true` means that the published default takes it.
caveats:
  - A default can be changed for some users or countries while the system runs.
  - Whether an input counts as profiling is a legal question; the role was given by the compilers.
datasets: [recommender_source_code]
tiers: [public, registered, vetted]
---*/
SELECT platform, system, as_of, parameter, default_value, feature_switch, source
FROM recommender_source_code
WHERE role = 'profiling_input'
ORDER BY as_of, system, parameter
