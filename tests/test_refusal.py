"""Every key of the settings, with every kind of wrong value, from `--set` and from YAML: one sentence each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.errors import ConfigError
from hrm_ray.form import Form, Node
from hrm_ray.yaml_text import parse_value

FORM = Form.of(Config)
KEYS = list(FORM.every_key())
LEAVES = [key for key in KEYS if not any(other.startswith(f"{key}.") for other in KEYS)]
SECTIONS = [key for key in KEYS if key not in LEAVES]

WRONG = {
    "true": "true",
    "-1": "-1",
    "2.5": "2.5",
    "10k": '"10k"',
    "12 GB": '"12 GB"',
    ".inf": ".inf",
    "-.inf": "-.inf",
    ".nan": ".nan",
    "2024-99-99": '"2024-99-99"',
    "''": '""',
    "null": "null",
    "[1, x]": None,
    "{a: 1}": "keys and values",
}
"""Values that hardly any key may have, as YAML has them, and how a sentence repeats them; of a list, what is in it."""

FOREIGN = re.compile(
    r"\b(?:tuple|None|True|errno|Traceback|pydantic|instance|int|str|float)\b|NoneType|[Ii]nput should|\bdict|<class"
)
"""Words of Python and its libraries."""


def value_of(node: Node, value: str) -> bool:
    """True if the kind of a place allows a value."""
    words = FORM.words(node)
    given = parse_value(value, "test")
    if given is None:
        return "null" in words
    if isinstance(given, bool):
        return "true or false" in words
    if isinstance(given, str):
        return re.search(r"\ba (?:path|text|name)\b|\bURL\b|\baddress\b", words) is not None and given != ""
    return given == 2.5 and re.search(r"\ba number(?! \(.*(?:at most|below))", words) is not None


def refusals(tmp_path: Path, key: str, value: str) -> Iterator[tuple[str, str]]:
    """The sentences about a value, and the place that each must name."""
    file = tmp_path / "some.yaml"
    file.write_text("name: some\ndata: data/some\n")
    yield refusal(file, [f"{key}={value}"]), f"--set {key}: "
    *above, last = key.split(".")
    lines = [
        "# a comment",
        *(f"{'  ' * depth}{part}:" for depth, part in enumerate(above)),
        f"{'  ' * len(above)}{last}: {value}",
    ]
    needed = [line for line in ("name: some", "data: data/some") if not line.startswith(f"{key}:")]
    file.write_text("\n".join([*needed, *lines]))
    yield refusal(file, []), f"{file}:{len(needed) + len(lines)}: {key}"


def refusal(file: Path, overrides: list[str]) -> str:
    with pytest.raises(ConfigError) as caught:
        settings.load(file, overrides)
    return str(caught.value)


@pytest.mark.parametrize("key", LEAVES)
def test_a_wrong_value_is_named_with_its_place_and_with_what_is_wanted(tmp_path: Path, key: str) -> None:
    node = FORM.find(key.split("."))[1]
    tried = [value for value in WRONG if not value_of(node, value)]
    assert len(tried) >= 6, FORM.words(node)
    alike = [other for other in LEAVES if FORM.words(FORM.find(other.split("."))[1]) == FORM.words(node)]
    at = alike.index(key)  # keys that may have the same values share the work
    for number, value in enumerate(tried if at == 0 else tried[at % 3 :: 3]):
        for said, place in islice(refusals(tmp_path, key, value), 1 if number else 2):  # a file takes long to read
            assert said.startswith(place), said
            assert (WRONG[value] or ", found ") in said, said
            assert not FOREIGN.search(said.removeprefix(place)), said
            assert "\n" not in said


@pytest.mark.parametrize("key", SECTIONS)
def test_a_value_in_the_place_of_a_section_is_named(tmp_path: Path, key: str) -> None:
    inner = FORM.keys(FORM.find(key.split("."))[1])
    for said, place in (each for value in ("3", "[a]", "true") for each in refusals(tmp_path, key, value)):
        assert said.startswith(place)
        assert all(name in said for name in inner)
        assert not FOREIGN.search(said)


@pytest.mark.parametrize("key", LEAVES)
def test_a_mistyped_key_is_answered_with_the_right_one(tmp_path: Path, key: str) -> None:
    mistyped = f"{key[:-1]}{'' if key[-2:] == key[-1] * 2 else key[-2:]}x"
    for said, place in refusals(tmp_path, mistyped, "1"):
        assert said.startswith(place.removesuffix(": "))
        assert f" {key}? " in said
        assert not FOREIGN.search(said)
