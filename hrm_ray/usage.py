"""One sentence for a command line that cannot be parsed; an unknown option may be a setting."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import typer

RUN_VERBS = ("evaluate", "generate", "export")
CONFIG_VERBS = ("collect", "prepare", "train", "tune")


def sentence(error: typer.TyperException, words: Sequence[str]) -> str:
    """Return the fault of the words behind `hrm-ray`, and the words that were probably meant."""
    verb = words[0] if words and not words[0].startswith("-") else ""
    if hasattr(error, "possibilities"):  # there is no such option
        option = str(getattr(error, "option_name", ""))
        who = f"`{verb}` has" if verb else "`hrm-ray` itself has"
        return f"{who} no option {option}; {_meant(error, option, verb, words)}"
    said = error.format_message().rstrip(".")
    if said.endswith("?"):
        return said
    further = [word for word in words[2:] if "=" in word and not word.startswith("-")]
    if "extra argument" in said and further:
        return f"{said}; did you mean --set {further[0]}?"
    return f"{said}; {_help('' if 'command' in said else verb)}"


def _help(verb: str) -> str:
    return f"`{' '.join(['hrm-ray', *([verb] if verb else []), '--help'])}` says what there is"


def _meant(error: typer.TyperException, option: str, verb: str, words: Sequence[str]) -> str:
    name = option.lstrip("-").replace("-", "_")
    keys = _keys(words[1] if verb == "submit" and len(words) > 1 else verb)
    same = [key for key in keys if name in (key, key.rpartition(".")[2])]
    near = [key for key in keys if difflib.get_close_matches(name, [key.rpartition(".")[2]], cutoff=0.8)]
    possible: Sequence[str] = getattr(error, "possibilities", None) or ()
    if not same and possible:
        return f"did you mean {' or '.join(sorted(possible))}?"
    if not (same or near):
        return _help(verb)
    return f"did you mean --set {(same or near)[0]}={_value(option, words)}?"


def _keys(verb: str) -> list[str]:
    """The settings of a verb, those of its own section first."""
    from hrm_ray.config import Config
    from hrm_ray.form import Form
    from hrm_ray.run_settings import is_changeable

    if verb not in RUN_VERBS + CONFIG_VERBS:
        return []
    known = list(Form.of(Config).every_key())
    if verb == "tune":
        from hrm_ray.tune.space import Search

        known = list(Form.of(Search).every_key())
    section = f"{verb if verb in CONFIG_VERBS else 'evaluate'}."
    return sorted(
        (key for key in known if verb in CONFIG_VERBS or is_changeable(key)),
        key=lambda key: not key.startswith(section),
    )


def _value(option: str, words: Sequence[str]) -> str:
    """The value of an option, given as `--option=value` or as the next word."""
    at = next(index for index, word in enumerate(words) if word.partition("=")[0] == option)
    if "=" in words[at]:
        return words[at].partition("=")[2]
    behind = words[at + 1 : at + 2]
    return behind[0] if behind and not behind[0].startswith("--") else "VALUE"
