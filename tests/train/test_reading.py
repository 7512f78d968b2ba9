"""Reading probes: which tokens they are measured on, and that a network that reads passes them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from hrm_ray.config import Budgets, Model
from hrm_ray.model.batch import Document, collate
from hrm_ray.model.hrm import HRM
from hrm_ray.prepare import sections
from hrm_ray.prepare.tokenizer import FIRST_TEXT, Tokenizer
from hrm_ray.train.corpus import SolveDocuments
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.reading import Choice, Kind, Reading, asked, kinds
from tests.prepare.factory import example
from tests.train.conftest import SHAPE, VOCABULARY, run_config

BEFORE = "func Start() int {\n\tfirst()\n\treturn one\n}"
AFTER = "func Start() int {\n\tsecond()\n\treturn one\n}"


def document(form: str, plan: str) -> tuple[Document, Tokenizer]:
    tokenizer = Tokenizer.train([], FIRST_TEXT + 256)
    given = example(before=BEFORE, code=AFTER, plan=plan, names=("Start",))
    prefix = sections.shorten(sections.prefix(given, tokenizer, form), 4096, Budgets())  # type: ignore[arg-type]
    row = sections.solve(given, prefix, tokenizer, 4096, form)  # type: ignore[arg-type]
    assert row is not None
    ids = [np.array(row[name], np.int32) for name in ("problem_ids", "context_ids", "plan_ids", "code_ids")]
    return Document(np.concatenate(ids[:2]), ids[2], ids[3]), tokenizer


def marked(form: str, plan: str, kind: Kind) -> str:
    one, tokenizer = document(form, plan)
    given = example(before=BEFORE, code=AFTER, plan=plan, names=("Start",))
    ids = np.concatenate((one.plan, one.code))
    found = kinds(one, given, tokenizer)
    assert len(found) == len(ids)
    return tokenizer.decode(ids[found == kind].tolist())


def test_kinds_of_a_whole_answer() -> None:
    plan = "modify function Start\nrework call second"
    assert marked("whole", plan, Kind.NAME).strip() == "Start"
    assert marked("whole", plan, Kind.CHANGED).strip() == "second()"
    assert marked("whole", plan, Kind.UNCHANGED) == AFTER.replace("\tsecond()\n", "")


def test_kinds_of_an_edit() -> None:
    plan = "modify function Start\n@1-2 rework call second"
    one, tokenizer = document("edit", plan)
    found = kinds(one, example(before=BEFORE, code=AFTER, plan=plan, names=("Start",)), tokenizer)
    assert marked("edit", plan, Kind.UNCHANGED).startswith("\t")
    assert np.isin(found, (Kind.CHANGED, Kind.UNCHANGED)).sum() == (np.asarray(one.code) >= FIRST_TEXT).sum()


def test_the_first_line_is_chosen_among_those_that_can_stand_there() -> None:
    plan = "modify function Start\n@1-2 rework call second"
    one, tokenizer = document("edit", plan)
    choice = Choice.first(one)
    assert choice is not None
    assert (len(choice.lines), choice.right) == (BEFORE.count("\n") + 2, 1)
    assert one.plan[len(choice.document.plan)] == choice.lines[1]
    assert Choice.first(document("edit", "modify function Start")[0]) is None
    assert Choice.first(document("whole", plan)[0]) is None
    model = HRM(Model.model_validate(SHAPE), tokenizer.vocab_size)
    batch = collate([one._replace(code=[]), choice.document, one._replace(code=[])])
    choices = [choice, choice, choice]
    assert asked(batch, choices).targets.tolist() == [*choice.lines] * 3
    nll = model(asked(collate([choice.document]), [choice]), model.config.depth.max).nll
    whole = collate([one])
    own = model(whole, model.config.depth.max).nll[len(choice.document.plan)]
    assert nll[choice.right].item() == pytest.approx(own.item(), abs=1e-5), "the place of the true plan"


def test_every_figure_is_there_and_chance_is_beside_it(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path)
    engine = PlainEngine(HRM(config.model, VOCABULARY), config.train)
    found = Reading(config, SolveDocuments(dataset, "validation")).measure(engine)
    assert set(found) == {
        "unchanged_nats", "changed_nats", "reading_gain", "plan_name_nats", "first_line_nats",
        "first_line_uniform_nats", "copy_nats", "long_copy_nats", "uniform_nats",
    }  # fmt: skip
    uniform = found["uniform_nats"]
    assert uniform == pytest.approx(math.log(VOCABULARY - FIRST_TEXT))
    assert found["copy_nats"] == pytest.approx(math.log(VOCABULARY), abs=0.5), "an untrained network reads nothing"


def test_no_probes_measure_no_modification(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path, validation={"every": 5, "examples": 6, "probes": 0})
    engine = PlainEngine(HRM(config.model, VOCABULARY), config.train)
    found = Reading(config, SolveDocuments(dataset, "validation")).measure(engine)
    assert found["unchanged_nats"] is found["reading_gain"] is None
