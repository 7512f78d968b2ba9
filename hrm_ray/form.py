"""The keys of settings and the values that they may have, in words, from the JSON schema of a pydantic model."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel

Node = Mapping[str, Any]
"""A part of a JSON schema."""

_BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
_WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "a text",
    "null": "null",
}
LONGEST = 60
"""Characters of a value that a sentence repeats."""


class Form:
    """The keys of a section or record, dotted, and their possible values in words."""

    def __init__(self, schema: Node) -> None:
        self._root = schema

    @staticmethod
    @cache
    def of(model: type[BaseModel]) -> Form:
        """Return the form of a section of settings."""
        return Form(model.model_json_schema())

    def find(self, location: Sequence[int | str]) -> tuple[tuple[str, ...], Node]:
        """Return the longest beginning of `location` that names a place in the form, and the schema of that place."""
        node, key = self._root, list[str]()
        for part in location:
            inner = next(filter(None, (self._inner(one, part) for one in self._alternatives(node))), None)
            if inner is None:
                break
            node = inner
            key.append(str(part))
        return tuple(key), node

    def keys(self, node: Node) -> list[str]:
        """Return the keys of a section."""
        return [key for one in self._alternatives(node) for key in one.get("properties", ())]

    def every_key(self, node: Node | None = None, prefix: str = "") -> Iterator[str]:
        """Yield the dotted key of every section and value."""
        for one in self._alternatives(self._root if node is None else node):
            for key, inner in one.get("properties", {}).items():
                yield prefix + key
                yield from self.every_key(inner, f"{prefix}{key}.")

    def near(self, location: Sequence[int | str]) -> list[str]:
        """Return the keys, dotted, one of which was probably meant by one that does not exist."""
        *above, last = location
        section, node = self.find(above)
        if len(section) == len(above) and (close := difflib.get_close_matches(str(last), self.keys(node), n=1)):
            return [".".join([*section, *close])]
        key, known = ".".join(map(str, location)), list(self.every_key())
        same = [other for other in known if other.rpartition(".")[2] == last]
        return same or difflib.get_close_matches(key, known, n=1)

    def words(self, node: Node) -> str:
        """Return the possible values at a place, for "expected ..."."""
        return ", or ".join(self._words(one) for one in self._alternatives(node))

    def hint(self, node: Node, value: Any) -> str:  # noqa: ANN401 - whatever YAML can hold
        """Return how to write the value that was probably meant by an impossible one; empty if that is open."""
        alternatives = list(self._alternatives(node))
        lists = [one for one in alternatives if one.get("type") == "array"]
        names = [str(name) for one in (*alternatives, *self._items(lists)) for name in one.get("enum", ())]
        meant = next(iter(difflib.get_close_matches(str(value), names, n=1)), None)
        is_scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
        if any("items" in one for one in lists) and is_scalar and len(str(value)) <= LONGEST:
            return f"; write [{meant or value}]"
        if meant is not None and meant != str(value):
            return f"; did you mean {meant}?"
        is_text = any(one.get("type") == "string" and "enum" not in one for one in alternatives)
        return "; put it in quotes" if is_text and isinstance(value, int | float) else ""

    def _items(self, lists: Sequence[Node]) -> Iterator[Node]:
        for one in lists:
            yield from self._alternatives(one.get("items", {}))

    def _alternatives(self, node: Node) -> Iterator[Node]:
        if "$ref" in node:
            yield from self._alternatives(self._root["$defs"][node["$ref"].rpartition("/")[2]])
        elif "anyOf" in node:
            for one in node["anyOf"]:
                yield from self._alternatives(one)
        else:
            yield node

    def _inner(self, node: Node, part: int | str) -> Node | None:
        if isinstance(part, int):
            first = node.get("prefixItems", ())
            return first[part] if part < len(first) else node.get("items")
        others = node.get("additionalProperties")
        found: Node | None = node.get("properties", {}).get(part, others if isinstance(others, Mapping) else None)
        return found

    def _words(self, node: Node) -> str:
        kind = node.get("type", "")
        if kind == "array":
            return self._list(node)
        if kind == "object":
            keys = self.keys(node)
            least = "at least one key and its value" if node.get("minProperties") else "keys and values"
            return f"keys and values (of {', '.join(keys)})" if keys else least
        if kind == "string" and "description" in node:
            return str(node["description"])
        if names := node.get("enum") or ([node["const"]] if "const" in node else ()):
            return f"{'one of ' if len(names) > 1 else ''}{', '.join(map(str, names))}"
        if node.get("format") == "path":
            return "a path"
        bounds = " and ".join(f"{words} {node[name]}" for name, words in _BOUNDS.items() if name in node)
        return _WORDS.get(kind, "a value") + (f" ({bounds})" if bounds else "")

    def _list(self, node: Node) -> str:
        first = [self.words(one) for one in node.get("prefixItems", ())]
        if not first:
            return f"a list of items, each {self.words(node.get('items', {}))}"
        each = f", each {first[0]}" if len(set(first)) == 1 else f": {'; '.join(first)}"
        return f"a list of {len(first)} items{each}"
