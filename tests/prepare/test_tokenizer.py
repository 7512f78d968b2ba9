"""The tokenizer is lossless, repeatable, and no text gives a control id."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.errors import UserError
from hrm_ray.prepare.tokenizer import CONTROL, FIRST_NUMBER, FIRST_TEXT, Control, Tokenizer
from tests.prepare.conftest import TEXTS

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200) | st.text("ab_.( )\t\n{}<|>09é世", max_size=80)


@given(text=texts)
def test_every_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert all(id_ >= FIRST_TEXT for id_ in ids)


def test_every_byte_is_a_token(tokenizer: Tokenizer) -> None:
    singles = [tokenizer.decode([id_]) for id_ in range(FIRST_TEXT, FIRST_TEXT + 256)]
    assert {chr(byte) for byte in range(128)} == set(singles) - {"\ufffd"}
    assert singles.count("\ufffd") == 128  # what is no whole character by itself
    assert tokenizer.decode(tokenizer.encode("世")[:-1]) == "\ufffd"


def test_ids_of_control_tokens_are_fixed() -> None:
    assert [int(control) for control in Control] == list(range(15))
    assert (FIRST_NUMBER, FIRST_TEXT, len(CONTROL)) == (15, 144, 144)
    assert (CONTROL[Control.PAD], CONTROL[Control.PROBLEM], CONTROL[Control.DIAGNOSTICS]) == (
        "<|pad|>",
        "<|problem|>",
        "<|diagnostics|>",
    )


def test_control_tokens_in_text_stay_text_also_after_save_and_load(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json")
    text = "".join(CONTROL) + " ".join(CONTROL) + "a<|plan|>b"
    for either in (tokenizer, loaded):
        ids = either.encode(text)
        assert min(ids) >= FIRST_TEXT
        assert either.decode(ids) == text
    assert loaded.sha256 == tokenizer.sha256
    assert list(tmp_path.iterdir()) == [tmp_path / "tokenizer.json"]


def test_no_merge_is_spelled_like_a_control_token() -> None:
    eager = Tokenizer.train(["".join(CONTROL) * 50] * 50, 2000)
    assert min(eager.encode("".join(CONTROL))) >= FIRST_TEXT
    assert eager.decode(eager.encode("<|plan|>")) == "<|plan|>"


def test_decode_leaves_control_tokens_out(tokenizer: Tokenizer) -> None:
    assert tokenizer.decode([Control.CODE, *tokenizer.encode("x := 1"), Control.END, Control.PAD]) == "x := 1"


def test_training_is_repeatable_with_any_number_of_threads() -> None:
    script = (
        "import sys; from hrm_ray.prepare.tokenizer import Tokenizer; from tests.prepare.conftest import TEXTS\n"
        "print(Tokenizer.train(TEXTS, 530).sha256)"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "RAYON_NUM_THREADS": threads, "PYTHONHASHSEED": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert hashes == {Tokenizer.train(TEXTS, 530).sha256 + "\n"}


def test_vocabulary_is_at_most_what_was_asked(tokenizer: Tokenizer) -> None:
    assert tokenizer.vocab_size <= 530
    assert len(tokenizer.encode("func Start() error {\n\tif running {")) < 20


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"added_tokens": [{"content": "<s>"}]}'])
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"tokenizer\.json"):
        Tokenizer.load(path)
