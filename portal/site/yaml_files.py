"""YAML in, models out; whatever is wrong is said with its line. YAML 1.2, so that NO is Norway and not false."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeVar

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from portal.content import Content

Model = TypeVar("Model", bound=Content)
KeyPath = Sequence[str | int]


@dataclass(frozen=True, slots=True, order=True)
class SiteFault:
    """One fault in a content file, as `file:line: message`; `file` is relative to the site."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Positions:
    """Where each key of a YAML file stands, so that a fault found later can still name its line."""

    file: str
    root: Any
    first_line: int = 1

    def line(self, path: KeyPath) -> int:
        """Return the line of the deepest key of the path that is in the file."""
        node, line = self.root, 0
        for key in path:
            if isinstance(node, CommentedMap) and key in node:
                line, node = node.lc.key(key)[0], node[key]
            elif isinstance(node, CommentedSeq) and isinstance(key, int) and key < len(node):
                line, node = node.lc.item(key)[0], node[key]
        return line + self.first_line

    def fault(self, message: str, path: KeyPath = ()) -> SiteFault:
        """Return a fault at the line of that path."""
        return SiteFault(self.file, self.line(path), message)


def read_model(
    text: str, file: PurePosixPath, model: type[Model], first_line: int = 1
) -> tuple[Model | None, Positions, tuple[SiteFault, ...]]:
    """Parse and validate one document; on faults the model is None."""
    try:
        root = _yaml().load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = (mark.line if mark else 0) + first_line
        problem = (error.problem or "this is not YAML").split("\n")[0]
        return None, Positions(str(file), None, first_line), (SiteFault(str(file), line, problem),)
    except (YAMLError, ValueError) as error:
        return None, Positions(str(file), None, first_line), (SiteFault(str(file), first_line, f"not YAML: {error}"),)
    positions = Positions(str(file), root, first_line)
    if not isinstance(root, Mapping):
        return None, positions, (positions.fault("a mapping of keys is expected"),)
    try:
        return model.model_validate(_plain(root)), positions, ()
    except ValidationError as error:
        return None, positions, tuple(_faults(error, positions))


class _DatesAsText(RoundTripConstructor):
    """Leaves dates to the models, which name the key of a bad one."""


_DatesAsText.add_constructor("tag:yaml.org,2002:timestamp", RoundTripConstructor.construct_yaml_str)


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.Constructor = _DatesAsText
    return yaml


def _plain(node: Any) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    return node


def _faults(error: ValidationError, positions: Positions) -> list[SiteFault]:
    """Return pydantic's faults with their lines, without those that only follow from a deeper one."""
    found = error.errors()
    causes = [one for one in found if not any(_is_below(other["loc"], one["loc"]) for other in found)]
    return [positions.fault(_words(one), one["loc"]) for one in causes]


def _is_below(path: KeyPath, other: KeyPath) -> bool:
    return len(path) > len(other) and tuple(path[: len(other)]) == tuple(other)


def _words(found: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    where = ".".join(str(step) for step in found["loc"])
    wording = {"extra_forbidden": "unknown key", "missing": "this key is missing"}
    message = wording.get(found["type"], str(found["msg"]).removeprefix("Value error, "))
    return f"{where}: {message}" if where else message
