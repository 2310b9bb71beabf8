"""The decision that the repository itself ships."""

import pytest
from support.content import the_site

from portal.ids import QueryName
from portal.policy.model import Tier
from portal.site.commitments import Part

SITE = the_site()
assert SITE.commitments
PARTS = SITE.commitments.parts


def test_six_commitments_and_four_preliminary_findings_are_there() -> None:
    assert SITE.commitments is not None
    assert (len(SITE.commitments.commitments), len(SITE.commitments.findings)) == (6, 4)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.id)
@pytest.mark.parametrize("tier", [Tier.REGISTERED, Tier.VETTED])
def test_each_part_has_a_question_that_each_researcher_may_ask(part: Part, tier: Tier) -> None:
    assert any(tier in SITE.queries[QueryName(name)].front.tiers for name in part.queries)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.id)
def test_each_part_names_its_articles_and_what_to_keep_in_mind(part: Part) -> None:
    assert part.articles
    assert part.caveats
