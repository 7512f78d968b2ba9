"""Reading the tree of settings: a YAML 1.2 file, `key.path=value` overrides, and one sentence for each refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML

from hrm_ray.config import CHANGEABLE_ON_RESUME, Config, Section
from hrm_ray.errors import ConfigError as ConfigError
from hrm_ray.errors import UserError
from hrm_ray.files import read_text
from hrm_ray.form import Form
from hrm_ray.refusal import is_same, reason, without_secrets
from hrm_ray.yaml_text import line_of, parse_value, parse_yaml

S = TypeVar("S", bound=Section)


def load(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Read the YAML file at `path`, apply `key.path=value` overrides and check the whole.

    The settings in a run folder are those of that folder, wherever it was moved.

    Raises:
        ConfigError: the file cannot be read, or a key or value in it cannot be used.
    """
    config, folder = check_file(Config, path, overrides), path.absolute().parent
    if path.name != "config.yaml" or not (folder / "run.json").exists():
        return config
    place = {"name": folder.name, "runs": folder.parent}
    return config.model_copy(update={key: place[key] for key in place.keys() - set(map(key_of, overrides))})


def check_file(form: type[S], path: Path, overrides: Sequence[str] = ()) -> S:
    """Return the settings in the YAML file at `path`, with `key.path=value` overrides, as what they should be.

    Raises:
        ConfigError: the file cannot be read, or a key or value cannot be used; the sentence begins with the `--set`
            or with the line of the file that is to blame.
    """
    tree = read(path)
    try:
        return form.model_validate(_with(tree, overrides))
    except ValidationError as error:
        found = error.errors()[0]
        key, predicate = reason(Form.of(form), found)
        blamed = _to_blame(form, tree, overrides, found)
        if blamed is None:
            line = line_of(read_text(path), key)
            raise ConfigError(_sentence(f"{path}:{line}" if line else f"{path}", key, predicate)) from error
        is_it = key_of(blamed) == ".".join(key)
        raise ConfigError(_sentence(_named(blamed), () if is_it else key, predicate)) from error


def read(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Return the tree in the YAML file at `path`, not yet checked, with `key.path=value` overrides.

    Raises:
        ConfigError: the file cannot be read, or an override is not of that form.
    """
    try:
        text = read_text(path)
    except UserError as error:
        raise ConfigError(str(error)) from error
    return _with(parse_yaml(text, str(path)), overrides)


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
        raise ConfigError(_sentence(source, *reason(Form.of(form), error.errors()[0]))) from error


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


def relocated(old: Any, new: Any) -> Any:  # noqa: ANN401 - JSON trees
    """Return the JSON tree `old` with the paths of `new` in the place of its own.

    `new` is a tree whose paths are of type Path; a path that only one of them has stays as it is.
    """
    if isinstance(new, Path):
        return old if old is None else str(new)
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        return {key: relocated(value, new.get(key)) for key, value in old.items()}
    if isinstance(new, list | tuple) and isinstance(old, list) and len(old) == len(new):
        return [relocated(*pair) for pair in zip(old, new, strict=True)]
    return old


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
    for depth, parent in enumerate(parents, start=1):
        if tree.get(parent) is None:
            tree[parent] = {}
        if not isinstance(tree[parent], dict):
            kind = "a list, which is given as a whole" if isinstance(tree[parent], list) else "a value, not a section"
            raise ConfigError(f"{'.'.join(parents[:depth])} is {kind}")
        tree = tree[parent]
    tree[leaf] = value


def unshared(tree: Any) -> Any:  # noqa: ANN401 - what JSON can hold
    """Return a copy of a tree; sections that share an anchor are separate in it."""
    if isinstance(tree, Mapping):
        return {key: unshared(value) for key, value in tree.items()}
    return [unshared(item) for item in tree] if isinstance(tree, list) else tree


def key_of(override: str) -> str:
    """Return the dotted key of a `key.path=value` override."""
    return ".".join(part.strip() for part in override.partition("=")[0].split("."))


def leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - a JSON tree
    """Yield every value of a tree that is not itself a section, with its dotted key."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from leaves(value, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix, tree


def _with(tree: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    changed: dict[str, Any] = unshared(tree)
    for override in overrides:
        name, key, (_, separator, value) = _named(override), key_of(override), override.partition("=")
        if not separator or not all(key.split(".")):
            raise ConfigError(f"{name}: expected key.path=value, such as train.epochs=2")
        given = parse_value(value, name)
        try:
            put(changed, key, given)
        except ConfigError as error:
            raise ConfigError(f"{name}: {without_secrets(str(error))}") from error
    return changed


def _named(override: str) -> str:
    """An override without its value, which may be a secret; nor is what stands behind a colon repeated."""
    return f"--set {without_secrets(override.partition('=')[0].partition(':')[0].strip())}".rstrip()


def _to_blame(
    form: type[Section], tree: Mapping[str, Any], overrides: Sequence[str], found: ErrorDetails
) -> str | None:
    """The override that causes an error: the last one that sets its value, or one without which it disappears.

    None if the file itself causes it.
    """
    place = "".join(f"{part}." for part in found["loc"])
    for override in reversed(overrides):
        if place.startswith(f"{key_of(override)}."):
            return override
    for override in reversed(overrides):
        try:
            form.model_validate(_with(tree, [other for other in overrides if key_of(other) != key_of(override)]))
        except ConfigError:
            continue
        except ValidationError as error:
            if any(is_same(one, found) for one in error.errors()):
                continue
        return override
    return None


def _sentence(place: str, key: Sequence[str], predicate: str) -> str:
    return f"{place}{without_secrets(': ' + '.'.join(key) if key else '')}{without_secrets(predicate)}"
