"""Drawn edits: the grammar allows each, its plan names its places, and only the edit is predicted."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from hrm_ray.config import Budgets, Config
from hrm_ray.model.batch import Document, Part, collate
from hrm_ray.model.grammar import Grammar
from hrm_ray.prepare import edits, sections, shards
from hrm_ray.prepare.plan import placed
from hrm_ray.prepare.tokenizer import Control, Tokenizer
from hrm_ray.train.copying import EDITS, CopyRows
from hrm_ray.train.corpus import SolveDocuments
from hrm_ray.train.drawn_edits import CHANGED, DrawnEdits
from hrm_ray.train.feed import Feed, open_feed
from tests.model.test_grammar import follow
from tests.prepare.factory import example
from tests.train.conftest import example_row, run_config, write_dataset

WINDOW = 512
BODY = ["\tfirst := open(name)", "", "\tdefer first.Close()", "\treturn first.Read()"]


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset in the edit form, whose training examples change one line."""
    folder = write_dataset(tmp_path_factory.mktemp("edited"))
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    facts = json.loads((folder / "dataset.json").read_text())
    facts["settings"]["prepare"] |= {"form": "edit", "window": WINDOW}
    (folder / "dataset.json").write_text(json.dumps(facts))
    for part in (0, 1):
        rows = [row(number, tokenizer) for number in range(30 * part, 30 * part + 30)]
        shards.write(folder / "train" / shards.part_name(part), rows, shards.TOKENISED)
    return folder


def row(number: int, tokenizer: Tokenizer) -> dict[str, object]:
    before = "\n".join([f"func Read{number}(name string) error {{", *BODY[: 2 + number % 3], "}"])
    after = before.replace("open(name)", "create(name)")
    plan = placed(before, after, ("function",), (f"Read{number}",), 4)
    one = example(before=before, code=after, plan=plan, names=(f"Read{number}",), number=number)
    prefix = sections.shorten(sections.prefix(one, tokenizer, "edit"), WINDOW, Budgets())
    made = sections.solve(one, prefix, tokenizer, WINDOW, "edit")
    assert made is not None
    return asdict(one) | made | {"weight": 1.0}


def config_of(edited: Path, **train: object) -> Config:
    config = run_config(edited, edited / "runs", copying_rows=1, **train)
    return config.model_copy(update={"prepare": config.prepare.model_copy(update={"form": "edit", "window": WINDOW})})


def drawn(edited: Path, count: int) -> list[Document]:
    made, random = DrawnEdits(SolveDocuments(edited, "train"), tokenizer_of(edited)), np.random.default_rng(0)
    return [made.document(random) for _ in range(count)]


def tokenizer_of(edited: Path) -> Tokenizer:
    return Tokenizer.load(edited / "tokenizer.json")


def as_integers(ids: object) -> list[int]:
    return [int(id_) for id_ in np.asarray(ids)]


def test_the_grammar_allows_them_and_the_plan_names_their_places(edited: Path) -> None:
    for one in drawn(edited, 200):
        prefix, plan, code = map(as_integers, one[:3])
        grammar = Grammar(edits.numbers(prefix))
        assert (plan[0], code[0]) == (Control.PLAN, Control.CODE)
        follow(grammar, [*plan[1:], *code])
        numbers = [[id_ for id_ in ids if id_ in edits.numbers(prefix)] for ids in (plan, code)]
        assert numbers[0] == numbers[1] != []


def test_the_problem_asks_for_it_and_the_edit_does_it_in_the_first_line_that_has_it(edited: Path) -> None:
    tokenizer, kinds = tokenizer_of(edited), Counter[str]()
    for one in drawn(edited, 400):
        prefix, plan, code = map(as_integers, one[:3])
        words = prefix[1 : prefix.index(Control.BEFORE)]
        start, before = edits.numbers(prefix).start, edits.lines(prefix)
        ((first, second, stop),) = edits.places(code)
        at = code[first] - start
        assert code[second] - start == at + 1
        assert plan[-len(words) :] == words
        assert tokenizer.decode(plan).startswith("modify function Read")
        kind, _, said = tokenizer.decode(words).partition(" ")
        kinds[kind] += 1
        old = tokenizer.encode(said.rpartition(" to ")[0] if kind == "change" else said)
        having = [number for number, line in enumerate(before) if contains(line, old)]
        if kind == "remove":
            assert having[0] == at
            assert code[second + 1 : stop] == [Control.END]
        elif said.count(" to ") == 1 and "\ufffd" not in said:
            assert having[0] == at
            written = code[second + 2 : stop - 1]
            assert code[second + 1] == Control.LINE
            assert contains(written, tokenizer.encode(said.rpartition(" to ")[2]))
            assert len(written) - len(before[at]) == (
                len(words) - len(tokenizer.encode("change  to ")) - 2 * len(old)
            ) * (count(before[at], old))
    assert kinds["change"] / kinds.total() == pytest.approx(CHANGED, abs=0.06)
    assert set(kinds) == {"change", "remove"}


def contains(line: list[int], part: list[int]) -> bool:
    return count(line, part) > 0


def count(line: list[int], part: list[int]) -> int:
    found, at = 0, 0
    while at + len(part) <= len(line):
        hit = line[at : at + len(part)] == part
        found, at = found + hit, at + (len(part) if hit else 1)
    return found


def test_plan_and_edit_count_as_a_copy(edited: Path) -> None:
    documents = drawn(edited, 5)
    batch = collate(documents)
    assert batch.targets.tolist() == [id_ for one in documents for id_ in as_integers([*one.plan, *one.code])]
    assert set(batch.target_part.tolist()) == {Part.COPY}
    assert batch.section_bytes.tolist() == [0, 0]


def test_most_copying_documents_are_edits_in_this_form(edited: Path) -> None:
    feed = open_feed(config_of(edited))
    found = [one for position in range(40) for one in feed.rows(position)[-1]]
    assert all(one.copies for one in found)
    assert all(sum(one.size for one in feed.rows(position)[-1]) <= WINDOW for position in range(40))
    assert sum(len(one.plan) > 0 for one in found) / len(found) == pytest.approx(EDITS, abs=0.12)


def test_a_fold_of_nothing_but_additions_has_copies_alone(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "added")
    rows = [example_row("train", number) | {"change": "added"} for number in range(30)]
    for part in (0, 1):
        shards.write(folder / "train" / shards.part_name(part), rows, shards.TOKENISED)
    found = CopyRows(SolveDocuments(folder, "train"), tokenizer_of(folder), config_of(folder)).row(0, 0)
    assert found
    assert all(len(one.plan) == 0 for one in found)


def solved(feed: Feed, position: int) -> list[Document]:
    every = (one for each in feed.rows(position) for one in each)
    return [one for one in every if one.decision is None and not one.copies]


def test_line_numbers_move_from_epoch_to_epoch_and_the_text_stays(edited: Path) -> None:
    feed, tokenizer = open_feed(config_of(edited, epochs=4, no_plan=0.0)), tokenizer_of(edited)
    seen: dict[str, set[int]] = {}
    for position in range(feed.horizon):
        for one in solved(feed, position):
            prefix, plan, code = map(as_integers, one[:3])
            lines = edits.numbers(prefix)
            before = "\n".join(map(tokenizer.decode, edits.lines(prefix)))
            text = edits.texts(plan[1:], code[1:-1], prefix, before, tokenizer)
            assert text[0].splitlines()[1].startswith("@1-2 ")
            assert text[1] == before.replace("open(name)", "create(name)")
            seen.setdefault(before, set()).add(lines.start)
    assert len(seen) == 60
    assert np.mean([len(starts) for starts in seen.values()]) > 3
    again = open_feed(config_of(edited, epochs=4, no_plan=0.0))
    for mine, other in zip(solved(feed, 3), solved(again, 3), strict=True):
        assert as_integers(mine.prefix) == as_integers(other.prefix)
