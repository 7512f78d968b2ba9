"""The tokenizer of a model folder, for a run that starts from that model, or of a dataset of ours.

Our control tokens have the ids `0..FIRST_TEXT - 1` in every dataset. So each id of a foreign tokenizer becomes
`id + FIRST_TEXT`, and the rows of the model's embedding move by as much. Its added tokens move too and are never
made from text, just as ours: what spells one stays text. One that begins with our control tokens is taken as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import pre_tokenizers

from hrm_ray.errors import UserError
from hrm_ray.files import why
from hrm_ray.prepare.tokenizer import CONTROL, FIRST_TEXT, Tokenizer

FILE = "tokenizer.json"
SHIFT = FIRST_TEXT
_DROPPED = dict.fromkeys(("truncation", "padding", "post_processor"))
"""What would cut texts or put tokens around them; `transformers` adds one that does nothing."""

_KEEPS_TEXT = frozenset({"ByteLevel", "Split", "Digits", "Punctuation"})
"""Pre-tokenizers that only cut, where they are not told to remove what they cut at."""

_LEFT_OUT = ("NFC",)
"""Normalizers that change next to no text of today: without them such a text has the same ids, and any comes back."""

_ODD = ("dropout", "continuing_subword_prefix", "end_of_word_suffix")
_PROBE = "".join(map(chr, range(0x250))) + " \t\n\n  x\r\n世界 e\u0301 \u00a0 🚀 don't"


def adopt(folder: Path) -> Tokenizer:
    """Return the tokenizer of `folder`, a foreign one with its ids moved behind the control tokens.

    Raises:
        UserError: the folder has no tokenizer.json, or one that does not give every text back; with the reason.
    """
    path, given = folder / FILE, _read(folder / FILE)
    if _is_ours(given):
        return Tokenizer(_parsed(path, json.dumps(given | _DROPPED)))
    refusal = next(_refusals(given), "")
    if not refusal:
        tokenizer = Tokenizer(_parsed(path, json.dumps(_shifted(given))))
        refusal = _failed_probe(tokenizer, [token["content"] for token in given["added_tokens"]])
    if refusal:
        raise UserError(f"{path}: {refusal}, so texts would not come back as they were; take another tokenizer")
    return tokenizer


def shift(folder: Path) -> int:
    """Return by how much `adopt` moves the ids of the tokenizer of `folder`."""
    return 0 if _is_ours(_read(folder / FILE)) else SHIFT


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({why(error)}); a model's folder has one") from error
    given: dict[str, Any] = json.loads(_parsed(path, text).to_str())
    return given


def _is_ours(given: Mapping[str, Any]) -> bool:
    return [(token["id"], token["content"]) for token in given["added_tokens"][:SHIFT]] == list(enumerate(CONTROL))


def _parsed(path: Path, text: str) -> tokenizers.Tokenizer:
    try:
        return tokenizers.Tokenizer.from_str(text)
    except Exception as error:  # tokenizers raises nothing narrower
        raise UserError(f"{path}: is not a tokenizer that can be taken ({error})") from error


def _refusals(given: Mapping[str, Any]) -> Iterator[str]:
    """Say why texts would not come back."""
    model, steps = given["model"], list(_steps(given["pre_tokenizer"], "pretokenizers"))
    if any((token["id"], token["content"]) == (0, CONTROL[0]) for token in given["added_tokens"]):
        yield "it is of another version of hrm-ray, which had other control tokens"
    if model["type"] != "BPE":
        yield f"its model is {model['type']} and not byte-level BPE"
    normalizers = [step["type"] for step in _steps(given["normalizer"], "normalizers")]
    yield from (f"its normalizer {kind} changes them" for kind in normalizers if kind not in _LEFT_OUT)
    if not any(step["type"] == "ByteLevel" for step in steps):
        yield "it is not byte-level"
    for step in steps:
        if step["type"] not in _KEEPS_TEXT or step.get("behavior") == "Removed":
            yield f"its pre-tokenizer {step['type']} may remove something"
        if step.get("add_prefix_space"):
            yield "it puts a blank before them (add_prefix_space)"
    yield from (f"its {key} is set" for key in _ODD if model[key])
    if missing := set(pre_tokenizers.ByteLevel.alphabet()) - set(model["vocab"]):
        yield f"{len(missing)} of the 256 bytes have no token"
    learnt = set(model["vocab"]) - {token["content"] for token in given["added_tokens"]}
    yield from (f"it has learnt our control token {control}" for control in CONTROL if control in learnt)


def _steps(given: Mapping[str, Any] | None, parts: str) -> Iterator[Mapping[str, Any]]:
    """The steps of a normalizer or pre-tokenizer, those of a sequence one by one."""
    if given is not None and given["type"] == "Sequence":
        for part in given[parts]:
            yield from _steps(part, parts)
    elif given is not None:
        yield given


def _shifted(given: Mapping[str, Any]) -> dict[str, Any]:
    """Move every id; ids that nothing has get a name, so that there are as many tokens as rows of an embedding."""
    added = {token["content"]: token["id"] for token in given["added_tokens"]}
    names = {id_: _free(name) for name, id_ in {**given["model"]["vocab"], **added}.items()}
    every = [*CONTROL, *(names.get(id_, f"<|unused {id_}|>") for id_ in range(max(names) + 1))]
    special = [*range(SHIFT), *sorted(id_ + SHIFT for id_ in added.values())]
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False) | {"special": True}
    return {
        **given,
        **_DROPPED,
        "normalizer": None,
        "added_tokens": [{"id": id_, "content": every[id_], **flags} for id_ in special],
        "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False},
        "model": {**given["model"], "vocab": {name: id_ for id_, name in enumerate(every)}},
    }


def _free(name: str) -> str:
    """Another name for a token that is spelled like one of ours; a blank stands in no byte-level token."""
    return f"{name} (its own)" if name in CONTROL else name


def _failed_probe(tokenizer: Tokenizer, added: list[str]) -> str:
    """Say which text does not come back, or comes out as a control token or an added one; nothing where all do."""
    spelled = [*CONTROL, *added]
    for text in (_PROBE, *spelled, f"x {' '.join(spelled)}y"):
        ids = tokenizer.encode(text)
        if min(ids) < SHIFT or tokenizer.decode(ids) != text:
            return f"it does not give {text if len(text) < 40 else 'a text of many characters'!r} back"
    return ""
