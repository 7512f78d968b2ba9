"""What one task writes and counts, without Ray."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
import pytest

from hrm_ray.config import Prepare
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.shards import Shards
from hrm_ray.prepare.tokenisation import tokenise_part
from hrm_ray.prepare.tokenizer import Tokenizer
from tests.prepare.factory import EXAMPLE, extracted

LETTERS = str.maketrans("0123456789", "ghijklmnop")
LONG = replace(EXAMPLE, body=EXAMPLE.body * 4, outline=EXAMPLE.outline * 20)


def tokenise(
    folder: Path, tokenizer: Tokenizer, examples: list[Example], fold: str, window: int = 256
) -> dict[str, Any]:
    tokenizer.save(folder / "tokenizer.json")
    extracted(folder, [(each, {}) for each in examples])
    item = {"fold": fold, "part": 0, "rows": list(range(len(examples)))}
    return tokenise_part(item, folder=folder, settings=Prepare(window=window), seed=0)


def test_prefixes_are_the_same_whatever_plan_code_and_attempts(tmp_path: Path, tokenizer: Tokenizer) -> None:
    codes = [EXAMPLE.code.replace("\treturn nil", "\tprepare()\n" * length + "\treturn nil") for length in range(12)]
    grown = [replace(LONG, plan="add call prepare\n" * at, code=code) for at, code in enumerate(codes)]
    counts = tokenise(tmp_path, tokenizer, grown, "judge")
    solved, judged = Shards(tmp_path / "judge"), Shards(tmp_path / "judgements" / "judge")
    assert 3 < len(solved) < len(grown)
    assert counts["drops"]["larger than the window"] == len(grown) - len(solved)
    assert len(set(judged.lengths("attempt_ids"))) > 3
    prefixes = {(*solved.ids(row, "problem_ids"), *solved.ids(row, "context_ids")) for row in range(len(solved))} | {
        tuple(judged.ids(row, "prefix_ids")[:-1]) for row in range(len(judged))
    }
    assert [len(prefix) for prefix in prefixes] == [128]


def test_shortened_sections_are_counted(tmp_path: Path, tokenizer: Tokenizer) -> None:
    assert tokenise(tmp_path, tokenizer, [EXAMPLE, LONG, LONG], "train", 400)["shortened"] == {"outline": 2}


@pytest.mark.parametrize("fold", ["train", "test"])
def test_what_is_left_of_nothing_is_a_part_without_rows(tmp_path: Path, tokenizer: Tokenizer, fold: str) -> None:
    tokenise(tmp_path, tokenizer, [EXAMPLE], fold, window=64)
    assert len(Shards(tmp_path / fold)) == 0
    assert (tmp_path / "judgements" / fold).is_dir() == (fold != "train")


def test_part_after_part_takes_no_more_memory(tmp_path: Path, tokenizer: Tokenizer) -> None:
    def held() -> int:
        memory = psutil.Process().memory_info()
        return int(memory.rss - memory.shared)

    words = [sha256(str(number).encode()).hexdigest().translate(LETTERS) for number in range(10_000)]  # which it caches
    examples = [replace(LONG, body=" ".join(words[start::100])) for start in range(100)]
    tokenise(tmp_path, tokenizer, examples, "train")
    item = {"fold": "train", "part": 0, "rows": list(range(len(examples)))}
    after = []
    for _ in range(25):
        tokenise_part(item, folder=tmp_path, settings=Prepare(window=256), seed=0)
        after.append(held())
    assert after[-1] - after[5] < 20e6, "a tokenizer that is loaded for each part leaves megabytes behind"
