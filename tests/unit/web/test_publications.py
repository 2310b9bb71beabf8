from portal.web.view_models.publications import publications_in_words


def test_endings_and_changes_of_the_codebook_are_told_the_newest_first() -> None:
    releases = [
        {"number": 1, "codebook_changes": ()},
        {"number": 2, "kind": "withdrawn", "at": "2026-11-24T10:00:00Z", "because": "Wrong file."},
        {"number": 3, "codebook_changes": ("columns.price.unit was added: 'EUR'",)},
    ]
    assert list(publications_in_words(releases)) == [
        "Codebook of release 3: columns.price.unit was added: 'EUR'.",
        "Release 2 was withdrawn on 2026-11-24: Wrong file.",
    ]
