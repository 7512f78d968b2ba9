"""A folder that `transformers` loads with AutoModelForCausalLM and AutoTokenizer: written without it, and read.

Beside its files ours has `refinement.safetensors`, the head that the class has no place for, and `manifest.json`, the
sha256 of every file: a flipped bit in a safetensors file loads without an error, and wrong.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from hrm_ray.config.prepare import Form
from hrm_ray.errors import UserError
from hrm_ray.files import sha256, why
from hrm_ray.model.hf import CLASS, config_fields, to_file
from hrm_ray.model.hrm import HRM
from hrm_ray.prepare.tokenizer import CONTROL, FIRST_NUMBER, FIRST_TEXT, Control, Tokenizer

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
REFINEMENT = "refinement.safetensors"
MANIFEST = "manifest.json"
_HEAD = "refinement."


def write(folder: Path, model: HRM, tokenizer: Tokenizer, window: int, form: Form) -> None:
    """Write everything but the card and the manifest into `folder`, which is there; `form` is that of the answers.

    Raises:
        UserError: the class cannot hold the network.
    """
    weights = model.state_dict()
    head = {name.removeprefix(_HEAD): value.cpu() for name, value in weights.items() if name.startswith(_HEAD)}
    described = config_fields(model.config, tokenizer.vocab_size, window)
    ends = {"bos_token_id": None, "eos_token_id": int(Control.END), "pad_token_id": int(Control.PAD)}
    kind = {"architectures": [CLASS], "model_type": "hrm_text", "dtype": "float32"}
    save_file(to_file(model), folder / WEIGHTS, metadata={"format": "pt"})
    save_file(head, folder / REFINEMENT)
    _write_json(folder / CONFIG, kind | described | ends)
    _write_json(folder / "generation_config.json", ends | {"do_sample": False, "suppress_tokens": _never_written(form)})
    _write_json(folder / "tokenizer_config.json", _tokenizer_config(window))
    tokenizer.save(folder / "tokenizer.json")
    for name in (WEIGHTS, REFINEMENT):  # safetensors writes files that nobody else can read
        shutil.copymode(folder / CONFIG, folder / name)


def seal(folder: Path) -> None:
    """Write down the sum of every file."""
    _write_json(folder / MANIFEST, {path.name: sha256(path) for path in sorted(folder.iterdir())})


def sealed(folder: Path) -> dict[str, str]:
    """Return the sums by name that `seal` wrote; none where the folder is of another making."""
    try:
        sums = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return sums if isinstance(sums, dict) else {}


def read_config(folder: Path) -> dict[str, Any]:
    """Return `config.json`.

    Raises:
        UserError: the folder has none that can be read.
    """
    _verify(folder, CONFIG)
    return _read_json(folder / CONFIG)


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Return the weights by their names in the files, in the precision that they are kept in.

    Raises:
        UserError: there are none, or a file is damaged.
    """
    weights: dict[str, Tensor] = {}
    for name in weight_files(folder):
        weights |= _load(folder, name)
    return weights


def read_refinement(folder: Path) -> dict[str, Tensor]:
    """Return the refinement head by our names; nothing where the folder has none."""
    found = _load(folder, REFINEMENT) if (folder / REFINEMENT).exists() else {}
    return {f"{_HEAD}{name}": value.float() for name, value in found.items()}


def weight_files(folder: Path) -> list[str]:
    """Return the names of the files that the weights are in, one or several.

    Raises:
        UserError: there are none that hold no pickle.
    """
    if (folder / INDEX).exists():
        named = _read_json(folder / INDEX).get("weight_map")
        if not isinstance(named, dict):
            raise UserError(f"{folder / INDEX}: has no weight_map")
        return sorted({str(name) for name in named.values()})
    if not (folder / WEIGHTS).exists():
        raise UserError(f"{folder}: has neither {WEIGHTS} nor {INDEX}; weights of other forms are not read")
    return [WEIGHTS]


def weights_sha256(folder: Path) -> str:
    """Hash all files of the weights, the refinement head among them."""
    names = [*weight_files(folder), *([REFINEMENT] if (folder / REFINEMENT).exists() else [])]
    return hashlib.sha256("".join(sha256(folder / name) for name in names).encode()).hexdigest()


def _never_written(form: Form) -> list[int]:
    """Control tokens that the model must never generate."""
    of_edits = {Control.LINE, *range(FIRST_NUMBER, FIRST_TEXT)} if form == "edit" else set()
    return [id_ for id_ in range(FIRST_TEXT) if id_ not in {Control.CODE, Control.END, *of_edits}]


def _tokenizer_config(window: int) -> dict[str, Any]:
    """`split_special_tokens` lets what spells a control token in a text stay text, as in our own tokenizer."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": CONTROL[Control.END],
        "pad_token": CONTROL[Control.PAD],
        "split_special_tokens": True,
        "clean_up_tokenization_spaces": False,
        "model_max_length": window,
        "model_input_names": ["input_ids", "attention_mask"],
    }


def _load(folder: Path, name: str) -> dict[str, Tensor]:
    _verify(folder, name)
    try:
        return load_file(folder / name)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{folder / name}: cannot be read ({why(error)})") from error


def _verify(folder: Path, name: str) -> None:
    known = sealed(folder).get(name)
    if known is not None and (folder / name).exists() and sha256(folder / name) != known:
        raise UserError(
            f"{folder / name}: damaged, or changed since it was written (its sha256 is not the manifest's); remove "
            f"{MANIFEST} if it was meant to be changed"
        )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path}: cannot be read ({why(error)})") from error


def _write_json(path: Path, tree: dict[str, Any]) -> None:
    path.write_text(json.dumps(tree, indent=2) + "\n", "utf-8")
