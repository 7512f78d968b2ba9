"""YAML that cannot be used is refused with its line, and without what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hrm_ray import settings
from hrm_ray.errors import ConfigError
from hrm_ray.yaml_text import line_of, parse_value, parse_yaml

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("\ufeff1", 1),
        ("1e-4", 1e-4),
        ("1_000", 1000),
        ("no", "no"),
        ("2024-01-01", "2024-01-01"),
        ("2024-99-99", "2024-99-99"),
        ("!!timestamp 2024-99-99", "2024-99-99"),
        ("!!str 3", "3"),
        ("=", "="),
        ("{a: &x {b: 1}, c: *x}", {"a": {"b": 1}, "c": {"b": 1}}),
        ("{a: &x {b: 1}, c: {<<: *x, b: 2}}", {"a": {"b": 1}, "c": {"b": 2}}),
        ("", None),
    ],
)
def test_values_are_those_of_the_core_schema(text: str, value: Any) -> None:
    assert parse_value(text, "test") == value


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"a: 1\nb: !!int {SECRET}", 2),
        (f"a: !!float {SECRET}", 1),
        (f"a: !!bool {SECRET}", 1),
        (f"a: !!python/name:{SECRET}", 1),
        (f"a: !{SECRET} 1", 1),
        (f"a: !!binary {SECRET}", 1),
        (f"a: !!set {{{SECRET}}}", 1),
        (f"a: {SECRET}\na: {SECRET}", 2),
        (f"a:\n\tb: {SECRET}", 2),
        (f"a: {SECRET}\n---\nb: 1", 2),
        (f"a: &x {{b: *x, c: {SECRET}}}", 1),
        (f"a: {SECRET}: {SECRET}", 1),
        (f"a: [{SECRET}", 1),
        (f"a: @{SECRET}", 1),
        (f"a: {SECRET}\x07", 1),
        (f"a: {SECRET}\n1: 2", 2),
        (f"a: {SECRET}\n[b]: 2", 2),
        (f"a: {SECRET}\n<<: 3", 2),
        (f"a: {SECRET}\n  b: 3", 2),
        ('a: "\\ud800"', 1),
        ("a: " + "9" * 5000, 1),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(text: str, line: int) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "some.yaml")
    said = str(caught.value)
    assert said.startswith("some.yaml: ")
    assert f", line {line}" in said
    assert SECRET not in said
    assert "\n" not in said


@pytest.mark.parametrize("text", ["", "# a comment", "null", "- a", "text", "3", "[" * 300])
def test_what_is_no_tree_of_keys_is_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "some.yaml")
    assert not any(word in str(caught.value) for word in ("NoneType", "str", "list ", "recursion", "\n"))


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"\xff\xfen\x00", "UTF-8"), (b"name: \xe4", "UTF-8"), (None, "no such file"), ("a folder", "directory")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | str | None, word: str) -> None:
    file = tmp_path / "some.yaml"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        file.mkdir()
    with pytest.raises(ConfigError) as caught:
        settings.load(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert word in str(caught.value)
    assert "Errno" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("a",), 2),
        (("a", "b"), 3),
        (("a", "c", "1"), 6),
        (("a", "c", "1", "d"), 6),
        (("a", "none"), 2),
        (("x", "y", "z"), 7),
        (("none",), None),
        ((), None),
    ],
)
def test_a_key_stands_on_a_line(key: tuple[str, ...], line: int | None) -> None:
    text = "# comment\na:\n  b: 1\n  c:\n  - 1\n  - d: 2\nx.y: {z: 3}\n"
    assert line_of(text, key) == line
