"""Tokenizers of other models: their ids move, texts come back, and what would lose a byte is refused."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.progress import Progress
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from hrm_ray.errors import UserError
from hrm_ray.prepare import pipeline
from hrm_ray.prepare.adopted import SHIFT, adopt, shift
from hrm_ray.prepare.tokenizer import CONTROL, FIRST_TEXT, Control, Tokenizer
from hrm_ray.settings import parse
from tests.prepare import factory
from tests.prepare.conftest import TEXTS

ADDED = ["<|endoftext|>", "<|im_start|>", "<|end|>"]
"""The last is spelled like one of ours."""


def made(special: list[str]) -> tokenizers.Tokenizer:
    """A byte-level BPE tokenizer as GPT-2's: the first special token in its vocabulary, the others behind it."""
    bpe = tokenizers.Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special[:1], initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(TEXTS, trainer)
    bpe.add_special_tokens(special[1:])
    bpe.post_processor = processors.ByteLevel(trim_offsets=False)
    bpe.enable_truncation(4)
    bpe.enable_padding(length=9)
    return bpe


def saved(folder: Path, bpe: tokenizers.Tokenizer) -> Path:
    bpe.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("model"), made(ADDED))


@pytest.fixture(scope="module")
def adopted(folder: Path) -> Tokenizer:
    return adopt(folder)


def test_every_id_moves_behind_the_control_tokens(folder: Path, adopted: Tokenizer) -> None:
    own = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    own.no_truncation()
    own.no_padding()
    for text in TEXTS:
        assert adopted.encode(text) == [id_ + SHIFT for id_ in own.encode(text, add_special_tokens=False).ids]
    assert adopted.vocab_size == own.get_vocab_size() + SHIFT
    assert SHIFT == FIRST_TEXT


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=100) | st.sampled_from([*CONTROL, *ADDED]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_text_comes_back_and_is_no_control_token(adopted: Tokenizer, text: str) -> None:
    ids = adopted.encode(text)
    assert adopted.decode(ids) == text
    assert all(id_ >= FIRST_TEXT for id_ in ids)


def test_what_spells_a_special_token_stays_text_also_after_save_and_load(adopted: Tokenizer, tmp_path: Path) -> None:
    adopted.save(tmp_path / "tokenizer.json")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json")
    own = json.loads((tmp_path / "tokenizer.json").read_text())["added_tokens"]
    assert [token["content"] for token in own[:SHIFT]] == list(CONTROL)
    assert [token["id"] for token in own[:SHIFT]] == list(range(FIRST_TEXT))
    special = {token["id"] for token in own}
    assert len(special) == SHIFT + len(ADDED)
    text = "".join((*CONTROL, *ADDED)) + " ".join((*CONTROL, *ADDED))
    for either in (adopted, loaded):
        assert special.isdisjoint(either.encode(text))
        assert either.decode(either.encode(text)) == text
        assert either.decode([Control.PLAN, *either.encode("x"), *special]) == "x"
    assert loaded.sha256 == adopted.sha256 == adopt(saved(tmp_path, made(ADDED))).sha256


def test_added_tokens_that_are_not_special_and_ids_that_nothing_has(tmp_path: Path) -> None:
    bpe = made(["<s>"])
    bpe.add_tokens([tokenizers.AddedToken("    ", rstrip=True, normalized=False), "func Start"])
    given_ = json.loads(bpe.to_str())
    top = max(given_["model"]["vocab"].values())
    given_["model"]["vocab"]["zzz"] = top + 40  # as in a vocabulary with reserved rows
    (tmp_path / "tokenizer.json").write_text(json.dumps(given_))
    taken = adopt(tmp_path)
    assert taken.vocab_size == top + 41 + SHIFT
    text = "func Start() {\n        x    \n}    y"
    assert taken.decode(taken.encode(text)) == text


def test_a_tokenizer_that_transformers_saved(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=made(ADDED), eos_token=ADDED[0])
    fast.save_pretrained(tmp_path)
    taken = adopt(tmp_path)
    text = "func main() {}<|endoftext|>"
    assert taken.decode(taken.encode(text)) == text
    ids = fast(TEXTS[0], add_special_tokens=False, truncation=False)["input_ids"]
    assert taken.encode(TEXTS[0]) == [id_ + SHIFT for id_ in ids]


def test_a_sequence_of_cuts_as_newer_models_have_it(tmp_path: Path) -> None:
    bpe = made(ADDED)
    split = pre_tokenizers.Split(tokenizers.Regex(r"\p{L}+|\p{N}{1,3}|\s+"), "isolated")
    to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bpe.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.Digits(individual_digits=True), to_bytes])
    bpe.normalizer = normalizers.Sequence([])
    assert adopt(saved(tmp_path, bpe)).decode(adopt(tmp_path).encode("x := 1234\n\t\té")) == "x := 1234\n\t\té"


def test_composition_of_characters_is_left_out(tmp_path: Path) -> None:
    bpe = made(ADDED)
    bpe.normalizer = normalizers.NFC()
    without = adopt(saved(tmp_path, bpe))
    for text in ("func \u00e9() {}", "e\u0301 is two characters, and \u00e9 is one"):
        assert without.decode(without.encode(text)) == text
    bpe.no_truncation()
    bpe.no_padding()
    text = "func \u00e9() { return 世界 }"
    assert without.encode(text) == [id_ + SHIFT for id_ in bpe.encode(text, add_special_tokens=False).ids]


def test_one_of_ours_is_taken_as_it_is(adopted: Tokenizer, tmp_path: Path) -> None:
    for ours in (Tokenizer.train(TEXTS, 450), adopted):
        ours.save(tmp_path / "tokenizer.json")
        assert shift(tmp_path) == 0
        assert adopt(tmp_path).sha256 == ours.sha256
        assert adopt(tmp_path).encode("<|plan|>") == ours.encode("<|plan|>")


def test_one_of_ours_that_transformers_saved(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    ours = Tokenizer.train(TEXTS, 450)
    ours.save(tmp_path / "tokenizer.json")
    fast = transformers.PreTrainedTokenizerFast.from_pretrained(tmp_path, pad_token="<|pad|>")
    fast(["a", "a b c"], padding="max_length", truncation=True, max_length=3)
    fast.save_pretrained(tmp_path)
    assert adopt(tmp_path).sha256 == ours.sha256


def prefixing() -> pre_tokenizers.ByteLevel:
    return pre_tokenizers.ByteLevel(add_prefix_space=True)


def removing() -> pre_tokenizers.Sequence:
    return pre_tokenizers.Sequence([pre_tokenizers.Split(" ", "removed"), pre_tokenizers.ByteLevel(False)])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"normalizer": normalizers.NFKC()}, "its normalizer NFKC changes them"),
        (
            {"normalizer": normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase()])},
            "its normalizer NFD changes them",
        ),
        ({"pre_tokenizer": pre_tokenizers.Whitespace()}, "it is not byte-level"),
        ({"pre_tokenizer": pre_tokenizers.Metaspace()}, "it is not byte-level"),
        ({"pre_tokenizer": prefixing()}, "it puts a blank before them"),
        ({"pre_tokenizer": removing()}, "its pre-tokenizer Split may remove something"),
        ({"model": models.WordLevel({"a": 0, "[UNK]": 1}, "[UNK]")}, "its model is WordLevel"),
        ({"model": models.BPE({"a": 0, "[UNK]": 1}, [], unk_token="[UNK]")}, "255 of the 256 bytes have no token"),
    ],
)
def test_what_does_not_give_every_text_back_is_refused(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    bpe = made(ADDED)
    for name, value in change.items():
        setattr(bpe, name, value)
    with pytest.raises(UserError, match=rf"tokenizer\.json: {reason}.*texts would not come back"):
        adopt(saved(tmp_path, bpe))


@pytest.mark.parametrize("key", ["dropout", "continuing_subword_prefix", "end_of_word_suffix"])
def test_models_with_odd_merges_are_refused(tmp_path: Path, key: str) -> None:
    text = json.loads(made(ADDED).to_str())
    text["model"] |= {"merges": [], key: 0.5 if key == "dropout" else "</w>"}
    (tmp_path / "tokenizer.json").write_text(json.dumps(text))
    with pytest.raises(UserError, match=f"its {key} is set"):
        adopt(tmp_path)


def test_a_vocabulary_that_a_text_could_reach_a_control_token_through_is_refused(tmp_path: Path) -> None:
    bpe = made(["<s>"])
    bpe.train_from_iterator(
        ["<|plan|>"] * 9,
        trainers.BpeTrainer(initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, vocab_size=999),
    )
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bpe.train_from_iterator(
        ["<|plan|>"] * 9,
        trainers.BpeTrainer(initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, vocab_size=999),
    )
    with pytest.raises(UserError, match=r"it has learnt our control token <\|plan\|>"):
        adopt(saved(tmp_path, bpe))
    whole = json.loads(made(["<s>"]).to_str())
    whole["model"]["ignore_merges"] = True  # a piece that is a token is taken as it stands
    whole["pre_tokenizer"]["use_regex"] = False
    (tmp_path / "tokenizer.json").write_text(json.dumps(whole))
    with pytest.raises(UserError, match=r"does not give '<\|pad\|>' back"):
        adopt(tmp_path)


@pytest.mark.usefixtures("ray_session")
def test_prepare_takes_it_and_prepares_again_when_it_changes(tmp_path: Path, folder: Path) -> None:
    source = factory.write_parquet(tmp_path / "prs.parquet", factory.history(), group=8)
    model = saved(tmp_path, tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")))
    chosen = {"window": 256, "input": str(source), "tokenizer_from": str(model)}
    config = parse({"name": "t", "data": str(tmp_path / "data"), "prepare": chosen}, "test")
    facts = pipeline.prepare(config, Progress(disable=True))
    assert Tokenizer.load(config.data / "tokenizer.json").sha256 == facts["tokenizer"]["sha256"] == adopt(model).sha256
    assert facts["tokenizer"]["sampled_examples"] == 0
    assert pipeline.prepare(config, Progress(console=Console(file=StringIO()), disable=True)) == facts
    saved(model, made(["<s>"]))
    again = pipeline.prepare(config, Progress(disable=True))
    assert again["tokenizer"]["sha256"] == adopt(model).sha256 != facts["tokenizer"]["sha256"]
    (model / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"tokenizer\.json: cannot be read"):
        pipeline.prepare(config, Progress(disable=True))


@pytest.mark.parametrize("content", [None, "", "{}", "[]", "\udcff"])
def test_a_folder_without_a_tokenizer(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=r"tokenizer\.json: (cannot be read|is not a tokenizer)"):
        adopt(tmp_path)
