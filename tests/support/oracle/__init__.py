"""An oracle of released cells: made-up data, policies and statements, and what must come of them, in plain Python."""
