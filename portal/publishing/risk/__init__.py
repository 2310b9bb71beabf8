"""How likely is it that somebody in a release is found again? Measured over its files, before it appears.

The attacker is taken to know every column whose role is `quasi_identifier`. Rows that agree in all of them are one
*equivalence class*, in which nobody can be told from another. What a class counts are *units*: the dataset's entity, or
its rows where it has none. A missing value is a value of its own: whoever lacks it is like the others who lack it, and
unlike all the rest, which errs towards more risk than if it stood for any value.
"""
