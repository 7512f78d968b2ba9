"""Reading the tree of settings: a YAML 1.2 file, `key.path=value` overrides, and one sentence for each refusal."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from hrm_ray.config import CHANGEABLE_ON_RESUME, Config
from hrm_ray.errors import UserError
from hrm_ray.files import parse_yaml


class ConfigError(UserError):
    """A setting that cannot be used; the message is one sentence for the user."""


def load(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Read the YAML file at `path`, apply `key.path=value` overrides and check the whole.

    Raises:
        ConfigError: the file cannot be read, or a key or value in it cannot be used.
    """
    try:
        tree = parse_yaml(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from error
    for override in overrides:
        _apply(tree, override)
    return parse(tree, str(path))


def parse(tree: Mapping[str, Any], source: str) -> Config:
    """Check a tree of settings; `source` is the name that errors give it."""
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(f"{source}: {_sentence(error)}") from error


def dump(config: Config) -> str:
    """Return the resolved tree as YAML that `load` reads back to an equal config."""
    stream = StringIO()
    YAML(typ="safe", pure=True).dump(config.model_dump(mode="json"), stream)
    return stream.getvalue()


def resume_conflicts(old: Config, new: Config) -> list[str]:
    """Return the keys, dotted, in which `new` differs from `old` although a resumed run must not change them."""
    before, after = dict(_leaves(old.model_dump(mode="json"))), dict(_leaves(new.model_dump(mode="json")))
    differing = [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]
    allowed = tuple(f"{prefix}." for prefix in CHANGEABLE_ON_RESUME)
    return [key for key in differing if not f"{key}.".startswith(allowed)]


def _apply(tree: dict[str, Any], override: str) -> None:
    key, separator, value = override.partition("=")
    if not separator or not key:
        raise ConfigError(f"--set {override}: expected key.path=value")
    *parents, leaf = key.split(".")
    for parent in parents:
        child = tree.setdefault(parent, {})
        if not isinstance(child, dict):
            raise ConfigError(f"--set {override}: {parent} is a value, not a section")
        tree = child
    try:
        tree[leaf] = YAML(typ="safe", pure=True).load(value)
    except YAMLError as error:
        raise ConfigError(f"--set {override}: the value is not valid YAML") from error


def _leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - a JSON tree
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix, tree


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "the whole"
    if first["type"] == "extra_forbidden":
        return f"{key} is not a key; {_valid_keys(first['loc'])}"
    if first["type"] == "missing":
        return f"{key} is missing"
    reason = str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"]
    given = "" if isinstance(first["input"], dict) else f" (given: {first['input']!r})"
    return f"{key}: {reason}{given}"


def _valid_keys(location: tuple[int | str, ...]) -> str:
    section: type[BaseModel] = Config
    for part in location[:-1]:
        annotation = section.model_fields[str(part)].annotation
        assert isinstance(annotation, type)
        section = annotation
    names = list(section.model_fields)
    close = difflib.get_close_matches(str(location[-1]), names, n=1)
    return (f"did you mean {close[0]}? " if close else "") + f"valid here: {', '.join(names)}"
