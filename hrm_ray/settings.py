"""Reading the tree of settings: a YAML 1.2 file, `key.path=value` overrides, and one sentence for each refusal."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from hrm_ray.config import CHANGEABLE_ON_RESUME, Config, Section
from hrm_ray.errors import UserError
from hrm_ray.files import parse_yaml

S = TypeVar("S", bound=Section)

_SECRET = re.compile(r"(?<=://)[^\s/]*@|(?<![\w+/=~-])(?![a-z_/-]+(?![\w+/=~-]))[\w+/=~-]{20,}", re.ASCII)
"""The user of a URL, and what a program may have drawn: twenty signs or more in a row, not all small letters."""


class ConfigError(UserError):
    """A setting that cannot be used; the message is one sentence for the user."""


def load(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Read the YAML file at `path`, apply `key.path=value` overrides and check the whole.

    Raises:
        ConfigError: the file cannot be read, or a key or value in it cannot be used.
    """
    return parse(read(path, overrides), str(path))


def read(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Return the tree in the YAML file at `path`, not yet checked, with `key.path=value` overrides.

    Raises:
        ConfigError: the file cannot be read, or an override is not of that form.
    """
    try:
        tree = parse_yaml(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from error
    for override in overrides:
        _apply(tree, override)
    return tree


def parse(tree: Mapping[str, Any], source: str) -> Config:
    """Check a tree of settings; `source` is the name that errors give it."""
    return check(Config, tree, source)


def check(form: type[S], tree: Mapping[str, Any], source: str) -> S:
    """Return a tree of settings as what it should be.

    Raises:
        ConfigError: a key or value cannot be used; the sentence begins with `source`.
    """
    try:
        return form.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(f"{source}: {_shown(_sentence(form, error))}") from error


def dump(section: Section) -> str:
    """Return the resolved tree as YAML that reads back to an equal one."""
    stream, yaml = StringIO(), YAML(typ="safe", pure=True)
    yaml.width = 120  # its own 80 parts keys from their values
    yaml.dump(section.model_dump(mode="json"), stream)
    return stream.getvalue()


def resume_conflicts(old: Config, new: Config) -> list[str]:
    """Return the keys, dotted, in which `new` differs from `old` although a resumed run must not change them."""
    allowed = tuple(f"{prefix}." for prefix in CHANGEABLE_ON_RESUME)
    differing = differences(old.model_dump(mode="json"), new.model_dump(mode="json"))
    return [key for key in differing if not f"{key}.".startswith(allowed)]


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the keys, dotted and sorted, whose values in two JSON trees differ."""
    before, after = dict(leaves(old)), dict(leaves(new))
    return [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]


def put(tree: dict[str, Any], key: str, value: Any) -> None:  # noqa: ANN401 - whatever YAML can hold
    """Set the dotted `key` of a tree, making the sections on its way.

    Raises:
        ConfigError: one of them is a value.
    """
    *parents, leaf = key.split(".")
    for parent in parents:
        child = tree.setdefault(parent, {})
        if not isinstance(child, dict):
            raise ConfigError(f"{parent} is a value, not a section")
        tree = child
    tree[leaf] = value


def leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - a JSON tree
    """Yield every value of a tree that is not itself a section, with its dotted key."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from leaves(value, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix, tree


def _apply(tree: dict[str, Any], override: str) -> None:
    key, separator, value = override.partition("=")
    named = f"--set {_shown(key.partition(':')[0])}"
    if not separator or not key:
        raise ConfigError(f"{named}: expected key.path=value")
    try:
        put(tree, key, YAML(typ="safe", pure=True).load(value))
    except YAMLError as error:
        raise ConfigError(f"{named}: the value is not valid YAML") from error
    except ConfigError as error:
        raise ConfigError(f"{named}: {_shown(str(error))}") from error


def _shown(text: str) -> str:
    """A text without what may be a secret."""
    return _SECRET.sub("...", text)


def _sentence(form: type[Section], error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "the whole"
    if first["type"] == "extra_forbidden":
        return f"{key} is not a key; {_valid_keys(form, first['loc'])}"
    if first["type"] == "missing":
        return f"{key} is missing"
    reason = str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"]
    given = "" if isinstance(first["input"], dict) else f" (given: {first['input']!r})"
    return f"{key}: {reason}{given}"


def _valid_keys(form: type[Section], location: tuple[int | str, ...]) -> str:
    section: Any = form
    for part in location[:-1]:
        is_section = isinstance(section, type) and issubclass(section, BaseModel)
        inner = [kind for kind in get_args(section) if kind is not ...]  # of a list's items, or a mapping's values
        section = section.model_fields[str(part)].annotation if is_section else inner[-1]
    names = list(section.model_fields)
    close = difflib.get_close_matches(str(location[-1]), names, n=1)
    return (f"did you mean {close[0]}? " if close else "") + f"valid here: {', '.join(names)}"
