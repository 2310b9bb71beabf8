import pytest

from portal.api.media import negotiate


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("TEXT/CSV; q=0.5, application/json; q=0.4", "text/csv"),
        ("text/html, application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("application/json;q=0, */*", "text/csv"),
        ("text/html", None),
        ("text/csv;q=0", None),
        ("text/csv;q=much", None),
        ("", "application/json"),
    ],
)
def test_the_best_of_what_is_accepted_is_given(accept: str | None, media: str | None) -> None:
    assert negotiate(accept) == media
