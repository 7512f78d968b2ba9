"""The argument of a verb: its kind, and the verbs that take this kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.files import read_text
from hrm_ray.run_settings import read_run
from hrm_ray.yaml_text import parse_yaml


class Kind(NamedTuple):
    """A kind of thing, and the verbs that take it."""

    name: str
    verbs: tuple[str, ...] = ()


CONFIG = Kind("a CONFIG (a YAML file of settings)", ("collect", "prepare", "train"))
SEARCH = Kind("a SEARCH (a YAML file with a base and a space)", ("tune",))
RUN = Kind("a RUN (a folder that `train` makes)", ("evaluate", "generate", "export", "report"))
SEARCHED = Kind("the folder of a search", ("report",))
DATASET = Kind("the folder of a dataset, which a CONFIG names as its data")
FOLDER = Kind("a folder")
FILE = Kind("a file that holds no settings")

_WANTED = {verb: kind for kind in (CONFIG, SEARCH, RUN) for verb in kind.verbs}
_FOLDERS = {"run.json": RUN, "config.yaml": RUN, "search.json": SEARCHED, "dataset.json": DATASET}


def experiment(verb: str, path: Path, overrides: Sequence[str]) -> Config:
    """Return the settings of the CONFIG that a verb is given; UserError if it is none."""
    require(verb, path)
    return settings.load(path, overrides)


def run(verb: str, path: Path, overrides: Sequence[str] = ()) -> Config:
    """Return the settings of the RUN that a verb is given; UserError if it is none."""
    require(verb, path)
    return read_run(path, overrides)


def require(verb: str, path: Path) -> None:
    """Refuse what a verb does not take; a file of settings that cannot be read is refused by its reader.

    Raises:
        UserError: the sentence names the kind that was given with its verbs, and the kind that this verb takes.
    """
    found, wanted = _kind(path), _WANTED[verb]
    if wanted is RUN and not path.exists():
        raise UserError(f"{path}: there is no such folder; `{verb}` takes {wanted.name}")
    if found is None and wanted is RUN:
        found = FILE
    if found is None or verb in found.verbs:
        return
    others = f", which {_listed(found.verbs)} take{'s' * (len(found.verbs) == 1)}" if found.verbs else ""
    raise UserError(f"{path}: is {found.name}{others}; `{verb}` takes {wanted.name}{_meant(verb, path, found)}")


def _kind(path: Path) -> Kind | None:
    """The kind of a path; None if it cannot be read, or not twice, such as a pipe."""
    if path.is_dir():
        return next((kind for name, kind in _FOLDERS.items() if (path / name).exists()), FOLDER)
    tree = _tree(path) if path.is_file() else None
    if not tree:
        return None
    if {"space", "base"} & tree.keys():
        return SEARCH
    return CONFIG if Config.model_fields.keys() & tree.keys() else FILE


def _tree(path: Path) -> Mapping[str, Any] | None:
    try:
        return parse_yaml(read_text(path), str(path))
    except UserError:
        return None


def _meant(verb: str, path: Path, found: Kind) -> str:
    """A better argument for the verb than a run folder, a part of one, or a file of settings."""
    if found is RUN:
        return f"; {path / 'config.yaml'} is one" if verb in CONFIG.verbs else ""
    if verb not in (SEARCHED.verbs if found is SEARCH else RUN.verbs):
        return ""
    if found not in (CONFIG, SEARCH):
        above = next((folder for folder in path.parents if (folder / "run.json").is_file()), None)
        return f"; it belongs to the RUN {above}" if above else ""
    tree = _tree(path) or {}
    folder = Path(str(tree.get("runs", "runs"))) / str(tree.get("name"))
    missing = "" if folder.is_dir() else f", which `hrm-ray {found.verbs[-1]} {path}` makes"
    return f"; its run folder is {folder}{missing}"


def _listed(verbs: Sequence[str]) -> str:
    *first, last = (f"`{verb}`" for verb in verbs)
    return f"{', '.join(first)} and {last}" if first else last
