"""YAML 1.2 for settings: the values that JSON has, and no others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode
from ruamel.yaml.reader import ReaderError

from hrm_ray.errors import ConfigError

_CORE = "tag:yaml.org,2002:"


class _Constructor(SafeConstructor):
    """Builds the values of the core schema. A date stays the text that it is; other tags are refused."""

    def construct_object(self, node: Node, deep: bool = False) -> Any:  # noqa: ANN401, ARG002
        if node in self.recursive_objects:
            raise ConstructorError(None, None, "an anchor that holds itself", node.start_mark)
        try:
            return super().construct_object(node, deep=True)
        except (ValueError, KeyError) as error:
            kind = str(node.tag).removeprefix(_CORE)
            raise ConstructorError(None, None, f"a value that cannot be read as {kind}", node.start_mark) from error

    def construct_text(self, node: Node) -> str:
        text: str = self.construct_scalar(node)
        text.encode()  # half a surrogate pair could be written nowhere
        return text

    def construct_undefined(self, node: Node) -> NoReturn:
        raise ConstructorError(None, None, "a tag that has no meaning here", node.start_mark)

    def check_mapping_key(self, node: Node, key_node: Node, mapping: Any, key: Any, value: Any) -> bool:  # noqa: ANN401, ARG002
        if not isinstance(key, str):
            raise ConstructorError(None, None, "a key that is not a text; put it in quotes", key_node.start_mark)
        if key in mapping:
            raise ConstructorError(None, None, f"a second {_named(key)} in one section", key_node.start_mark)
        return True


_KEPT = {f"{_CORE}{name}" for name in ("null", "bool", "int", "float", "seq", "map")}
_Constructor.yaml_constructors = {
    **{tag: build for tag, build in SafeConstructor.yaml_constructors.items() if tag in _KEPT},
    **{f"{_CORE}{name}": _Constructor.construct_text for name in ("str", "timestamp", "value")},
    None: _Constructor.construct_undefined,
}


def _named(key: str) -> str:
    """The key if it looks like a setting; any other may be a secret."""
    return f"`{key}`" if re.fullmatch(r"[a-z_]{1,30}", key) else "key of the same name"


def parse_yaml(text: str, source: str) -> dict[str, Any]:
    """Return the tree in a YAML 1.2 text; `source` is the name that errors give it.

    Raises:
        ConfigError: the text is not YAML, or not a tree of keys and values.
    """
    tree = parse_value(text, source)
    if isinstance(tree, dict):
        return tree
    found = "nothing" if tree is None else "a list" if isinstance(tree, list) else "a single value"
    raise ConfigError(f"{source}: expected keys and values, such as `name: demo`, and found {found}")


def parse_value(text: str, source: str) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Return the one value in a YAML 1.2 text.

    Raises:
        ConfigError: the text is not YAML; the sentence says where, without the line itself: it may hold a secret.
    """
    try:
        return _yaml().load(text)
    except RecursionError:
        raise ConfigError(f"{source}: not valid YAML: nested too deeply") from None
    except YAMLError as error:
        raise ConfigError(f"{source}: not valid YAML: {_problem(error, text)}") from error


def line_of(text: str, key: Sequence[str]) -> int | None:
    """Return the line, from 1, of a key in a YAML text that is valid, else of the section nearest to it.

    A part of `key` is a key or the index of a list's item. None where not even the first part is there.
    """
    node, line, rest = _yaml().compose(text), None, ".".join(key)
    while rest:
        found = [(name, at, value) for name, at, value in _entries(node) if f"{rest}.".startswith(f"{name}.")]
        if not found:
            break
        name, line, node = found[0]
        rest = rest[len(name) + 1 :]
    return line


def _entries(node: Node) -> list[tuple[str, int, Node]]:
    """The name or index, the line from 1 and the value of each thing in a node."""
    if isinstance(node, MappingNode):
        return [(str(key.value), key.start_mark.line + 1, value) for key, value in node.value]
    if isinstance(node, SequenceNode):
        return [(str(index), item.start_mark.line + 1, item) for index, item in enumerate(node.value)]
    return []


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True, plug_ins=[])
    yaml.Constructor = _Constructor
    return yaml


def _problem(error: YAMLError, text: str) -> str:
    """The fault and its place."""
    if isinstance(error, ReaderError):
        return f"a character that YAML does not allow, line {text.count(chr(10), 0, error.position) + 1}"
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return " ".join(str(error).split())
    place, problem = error.problem_mark, str(error.problem)
    for sign, words in _WORDS.items():
        if sign in problem:
            problem = words
    return f"{problem}, line {place.line + 1}, column {place.column + 1}"


_WORDS = {
    "'\\t'": "a tab where only blanks may stand",
    "another document": "a second document; a file holds one",
    "that cannot start any token": "a sign that cannot begin a value; put the value in quotes",
    "mapping values": "a colon inside of a value; put the value in quotes",
    "<block end>": "an indentation that fits no section",
    "'\\x00'": "the text ends too early",
    "<stream end>": "the text ends too early",
    "for merging": "`<<` without keys and values to merge",
}
"""Words of ruamel.yaml, and plainer ones for them."""
