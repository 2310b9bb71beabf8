from collections.abc import Mapping
from types import MappingProxyType

import pytest

from portal.fingerprints import canonical_json, fingerprint


@pytest.mark.parametrize("mapping", [{"b": 1, "a": 2}, MappingProxyType({"a": 2, "b": 1})])
def test_any_mapping_is_the_same_object(mapping: Mapping[str, int]) -> None:
    assert canonical_json({"x": mapping}) == '{"x":{"a":2,"b":1}}'


def test_a_set_has_one_fingerprint_whatever_its_order_in_memory() -> None:
    assert canonical_json(frozenset({"c", "a", "b"})) == '["a","b","c"]'
    assert fingerprint({"x": frozenset({"c", "a", "b"})}) == fingerprint({"x": ["a", "b", "c"]})
