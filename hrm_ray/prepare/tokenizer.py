"""Text to token ids and back: byte-level BPE, lossless for every text, with control tokens that no text can produce.

Control tokens are the single ids `0..FIRST_TEXT - 1`: those of `Control`, then the line numbers of edits. Only the
builders of `sections.py` place them: the same characters inside a pull request stay ordinary text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from enum import IntEnum
from pathlib import Path

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from hrm_ray.errors import UserError
from hrm_ray.files import why, write_text


class Control(IntEnum):
    """Control tokens; the value is the id.

    No document holds PAD, ATTEMPT or DIAGNOSTICS yet: they are reserved, for padding in exported models and for
    repair documents, so that no id ever moves under a trained model.
    """

    PAD = 0
    PROBLEM = 1
    BODY = 2
    PATH = 3
    OUTLINE = 4
    BEFORE = 5
    ANCHOR = 6
    PLAN = 7
    CODE = 8
    END = 9
    DIRECT = 10
    JUDGE = 11
    ATTEMPT = 12
    DIAGNOSTICS = 13
    LINE = 14
    """Opens each line that an edit writes (`hrm_ray.prepare.edits`)."""


NUMBERS = 129
"""Line numbers of an edit, 0 to 128, each a control token: 128 lines and the end behind the last."""

FIRST_NUMBER = len(Control)
FIRST_TEXT = FIRST_NUMBER + NUMBERS
"""The first id that is no control token."""


def is_number(id_: int) -> bool:
    """Whether a token is the number of a line."""
    return FIRST_NUMBER <= id_ < FIRST_TEXT


CONTROL = (
    *(f"<|{control.name.lower()}|>" for control in Control),
    *(f"<|{number}|>" for number in range(NUMBERS)),
)
"""How each control token is written in `tokenizer.json`, by id."""

PIECES = (
    r"[^\S\n]?\p{L}+"  # a word with the blank before it
    r"|[^\s\p{L}\p{N}]\p{L}+"  # .Word _word "word
    r"|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+(?:\s*\n[\t ]*)?"  # punctuation and the line break and indentation after it: `) {\n\t\t`
    r"|\s*\n[\t ]*"
    r"|\s+"
)
"""Pieces that no merge crosses. A word and the `<|` or `|>` beside it are pieces of their own, so no learnt token can
be spelled like a control token. On the functions of unseen repositories, 4k tokens, the line breaks that stay with
the punctuation before them gave 3.28 bytes per token, without them 2.69."""


class Tokenizer:
    """Byte-level BPE over Unicode text."""

    def __init__(self, bpe: tokenizers.Tokenizer) -> None:
        bpe.encode_special_tokens = True  # the file does not keep this flag
        self._bpe = bpe

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int) -> Tokenizer:
        """Learn up to `vocab_size` tokens, control tokens and all bytes among them; equal texts give equal files."""
        bpe = tokenizers.Tokenizer(models.BPE())
        split = pre_tokenizers.Split(tokenizers.Regex(PIECES), "isolated")
        to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        bpe.pre_tokenizer = pre_tokenizers.Sequence([split, to_bytes])
        bpe.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=2,
            special_tokens=list(CONTROL),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        bpe.train_from_iterator(texts, trainer)
        return cls(bpe)

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read a file that `save` wrote; behind the control tokens it may have those of a model that it came from.

        Raises:
            UserError: the file cannot be read, or its first ids are not our control tokens.
        """
        try:
            text = path.read_text("utf-8")
            first = [token["content"] for token in json.loads(text)["added_tokens"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path}: not a tokenizer that prepare wrote ({why(error)})") from error
        if tuple(first[: len(CONTROL)]) != CONTROL:
            raise UserError(f"{path}: its control tokens are not those of this version of hrm-ray")
        try:
            return cls(tokenizers.Tokenizer.from_str(text))
        except Exception as error:  # tokenizers raises nothing narrower
            raise UserError(f"{path}: not a tokenizer that prepare wrote ({error})") from error

    def save(self, path: Path) -> None:
        """Write `path` whole or not at all."""
        write_text(path, self._text())

    def encode(self, text: str) -> list[int]:
        """Return the ids of `text`; never a control id, whatever the text holds."""
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text."""
        return [encoding.ids for encoding in self._bpe.encode_batch_fast(list(texts), add_special_tokens=False)]

    def starts(self, text: str) -> list[int]:
        """Return the character at which each token of `text` begins."""
        return [start for start, _ in self._bpe.encode(text, add_special_tokens=False).offsets]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids` without control tokens; bytes that are not UTF-8 become U+FFFD.

        Ids that `encode` gave always decode to the very same text; only ids that a model wrote, or a section that was
        cut inside a character, can hold broken UTF-8.
        """
        text: str = self._bpe.decode(list(ids), skip_special_tokens=True)
        return text

    @property
    def vocab_size(self) -> int:
        """Number of ids; below the size asked for where the texts gave too few merges."""
        size: int = self._bpe.get_vocab_size(with_added_tokens=True)
        return size

    @property
    def sha256(self) -> str:
        """Hash of the file that `save` writes."""
        return hashlib.sha256(self._text().encode()).hexdigest()

    def _text(self) -> str:
        text: str = self._bpe.to_str(pretty=True)
        return text + "\n"
