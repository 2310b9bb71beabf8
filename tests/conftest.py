"""How many examples Hypothesis makes: as many as usual, more at night, fewer where the tests themselves are tried."""

import os

from hypothesis import Phase, settings

settings.register_profile("usual", max_examples=100)
settings.register_profile("nightly", max_examples=1_700)
settings.register_profile(
    "mutations", max_examples=34, phases=(Phase.explicit, Phase.generate), derandomize=True, database=None
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))
