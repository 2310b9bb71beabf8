from portal.catalogue.release import is_made_of


def test_what_is_kept_of_two_joined_releases_is_made_of_either() -> None:
    kept = "ads-000001+sales-000012"
    assert [is_made_of(kept, *each) for each in (("ads", 1), ("sales", 12), ("sales", 1))] == [True, True, False]
