"""Statement in, plan out: parse, closed world, names, regenerate, verify. Pure: nothing here runs SQL."""
