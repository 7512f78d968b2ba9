"""Folders that `transformers` loads: the same logits, the same ids, the same greedy text; and its own folders, read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from hrm_ray.errors import UserError
from hrm_ray.model import hf_folder
from hrm_ray.model.generate import generate
from hrm_ray.model.hf import from_file, shape
from hrm_ray.model.hrm import HRM
from hrm_ray.model.sampling import Sampling
from hrm_ray.model.size import parameters
from hrm_ray.prepare.adopted import adopt
from hrm_ray.prepare.tokenizer import CONTROL, FIRST_TEXT, Control, Tokenizer
from tests.model.conftest import VOCABULARY, small_config, solve_document
from tests.model.test_hf import our_logits, their_logits, trained
from tests.prepare.conftest import TEXTS
from tests.prepare.test_adopted import ADDED, made

transformers = pytest.importorskip("transformers")

PLAN, CODE = 6, 9
"""Tokens that are generated."""


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(TEXTS, 450)


@pytest.fixture(scope="module")
def model(tokenizer: Tokenizer) -> HRM:
    torch.manual_seed(3)
    made = HRM(small_config(), tokenizer.vocab_size)
    made.load_state_dict(made.state_dict() | {n: v for n, v in trained().state_dict().items() if "blocks" in n})
    return made


@pytest.fixture
def folder(model: HRM, tokenizer: Tokenizer, tmp_path: Path) -> Path:
    hf_folder.write(tmp_path, model, tokenizer, window=64, form="whole")
    hf_folder.seal(tmp_path)
    return tmp_path


def load(folder: Path) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(folder).eval()


def test_the_auto_class_gives_our_logits(model: HRM, folder: Path) -> None:
    theirs, document = load(folder), solve_document(4, prefix=12, plan=5, code=9)
    assert type(theirs).__name__ == "HrmTextForCausalLM"
    torch.testing.assert_close(our_logits(model, document), their_logits(theirs, document), atol=1e-4, rtol=0)
    ours = sum(parameter.numel() for parameter in theirs.parameters()) - model.config.hidden  # z_L_init is one there
    head = sum(value.numel() for value in hf_folder.read_refinement(folder).values())
    assert ours + head == parameters(model.config, theirs.config.vocab_size)


def test_greedy_generation_writes_the_same_tokens(model: HRM, folder: Path) -> None:
    theirs, prefix = load(folder), list(solve_document(5, prefix=14).prefix)
    (ours,) = generate(model, [prefix], [0], Sampling(PLAN, CODE))
    ids = [*prefix, Control.PLAN]
    for end, most, expected in ((Control.CODE, PLAN, ours.plan), (Control.END, CODE, ours.code)):
        written = theirs.generate(
            input_ids=torch.tensor([ids]),
            token_type_ids=torch.tensor([[1] * len(prefix) + [0] * (len(ids) - len(prefix))]),
            suppress_tokens=[id_ for id_ in range(FIRST_TEXT) if id_ != end],
            eos_token_id=int(end),
            max_new_tokens=most,
        )[0].tolist()
        assert [token for token in written[len(ids) :] if token != end] == expected
        assert len(expected) > 3
        ids = written if written[-1] == end else [*written, int(end)]


@pytest.mark.parametrize(
    "text", [*TEXTS[:3], "<|plan|> x <|end|>", " a  b\u00a0\n\n\t世界 don't , x .", "".join(CONTROL)]
)
def test_the_auto_tokenizer_gives_our_ids_and_every_text_back(tokenizer: Tokenizer, folder: Path, text: str) -> None:
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    ids = theirs(text).input_ids
    assert ids == tokenizer.encode(text)
    assert theirs.decode(ids) == theirs.decode([Control.PLAN, *ids, Control.END], skip_special_tokens=True) == text
    assert (theirs.pad_token_id, theirs.eos_token_id) == (Control.PAD, Control.END)
    assert theirs.convert_tokens_to_ids(list(CONTROL)) == list(range(FIRST_TEXT))


def test_the_tokenizer_stays_so_when_transformers_saves_it(tokenizer: Tokenizer, folder: Path, tmp_path: Path) -> None:
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path / "again")
    again = transformers.AutoTokenizer.from_pretrained(tmp_path / "again")
    assert again("<|plan|>").input_ids == tokenizer.encode("<|plan|>")


def test_a_foreign_tokenizer_too_gives_our_ids(model: HRM, tmp_path: Path) -> None:
    made(ADDED).save(str(tmp_path / "tokenizer.json"))
    foreign = adopt(tmp_path)
    hf_folder.write(tmp_path, model, foreign, window=64, form="whole")
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    for text in (*TEXTS[:3], "".join((*CONTROL, *ADDED)), " e\u0301 x\n"):
        ids = theirs(text).input_ids
        assert ids == foreign.encode(text)
        assert theirs.decode(ids) == text


def test_generation_ends_and_never_writes_what_stands_in_prefixes_only(folder: Path) -> None:
    settings = load(folder).generation_config
    assert settings.eos_token_id == Control.END
    assert set(settings.suppress_tokens) == set(range(FIRST_TEXT)) - {Control.CODE, Control.END}


def test_the_head_lies_beside_the_weights(model: HRM, folder: Path) -> None:
    back = hf_folder.read_refinement(folder)
    assert {name for name in model.state_dict() if name.startswith("refinement.")} == back.keys()
    assert all(torch.equal(back[name], model.state_dict()[name]) for name in back)
    (folder / "refinement.safetensors").unlink()
    assert hf_folder.read_refinement(folder) == {}


@pytest.mark.parametrize("tied", [True, False])
def test_a_folder_in_pieces_and_half_precision_that_transformers_saved(tied: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    size = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 8}
    scale = {"embedding_scale": 32**0.5, "tie_word_embeddings": tied, "vocab_size": VOCABULARY}
    theirs = transformers.HrmTextForCausalLM(transformers.HrmTextConfig(**size, **scale)).bfloat16().eval()
    theirs.save_pretrained(tmp_path, max_shard_size="20KB", save_original_format=tied)
    assert len(hf_folder.weight_files(tmp_path)) > 2
    assert any("gqkv_proj" in name for name in hf_folder.read_weights(tmp_path)) == tied
    fields = hf_folder.read_config(tmp_path)
    config = small_config(**shape(fields))
    model = HRM(config, VOCABULARY)
    model.load_state_dict(from_file(config, hf_folder.read_weights(tmp_path)), strict=False)
    document = solve_document(6)
    torch.testing.assert_close(our_logits(model, document), their_logits(theirs.float(), document), atol=1e-4, rtol=0)


def test_a_flipped_bit_is_found(folder: Path) -> None:
    weights = folder / "model.safetensors"
    whole = bytearray(weights.read_bytes())
    whole[-7] ^= 1
    weights.write_bytes(whole)
    load_file(weights)
    with pytest.raises(UserError, match=r"model\.safetensors: damaged, or changed since"):
        hf_folder.read_weights(folder)


def test_the_sum_of_the_weights_sees_each_file(folder: Path) -> None:
    before = hf_folder.weights_sha256(folder)
    head = load_file(folder / "refinement.safetensors")
    save_file({name: value + 1 for name, value in head.items()}, folder / "refinement.safetensors")
    assert hf_folder.weights_sha256(folder) != before


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"config\.json: cannot be read"):
        hf_folder.read_config(tmp_path)
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(UserError, match=r"config\.json: cannot be read"):
        hf_folder.read_config(tmp_path)
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(UserError, match=r"has neither model\.safetensors nor"):
        hf_folder.read_weights(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(UserError, match=r"model\.safetensors: cannot be read"):
        hf_folder.read_weights(tmp_path)
    (tmp_path / "manifest.json").write_text("[1]")  # of another making
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": ["a"]}))
    with pytest.raises(UserError, match=r"index\.json: has no weight_map"):
        hf_folder.read_weights(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "absent.safetensors"}}))
    with pytest.raises(UserError, match=r"absent\.safetensors: cannot be read"):
        hf_folder.read_weights(tmp_path)
