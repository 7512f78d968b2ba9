"""The page as a whole: self-contained, escaped, faithful to the files, the same each time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from hrm_ray.errors import UserError
from hrm_ray.report.page import write
from hrm_ray.report.text import ABSENT, interval, number, percent, span
from tests.report.conftest import Folder, evaluated

VOID = {"meta", "br", "hr", "img", "link", "input", "wbr"}


class Page(HTMLParser):
    """Tags with their attributes, all text, and whether every tag was closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1] == tag, f"{tag} closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


def page(folder: Folder, path: Path) -> Page:
    return Page(write(folder.write(path)).path.read_text("utf-8"))


def test_it_writes_both_files_and_says_what_they_say(folder: Folder, tmp_path: Path) -> None:
    report = write(folder.write(tmp_path))
    decision = json.loads((tmp_path / "decision.json").read_text("utf-8"))
    assert (report.path, report.decision) == (tmp_path / "report.html", "GO")
    assert (decision["decision"], tuple(decision["reasons"])) == ("GO", report.reasons)
    assert [asked["answer"] for asked in decision["questions"]] == ["yes"] * 4
    assert decision["thresholds"]["enough"]["generations"] == 200
    read = page(folder, tmp_path)
    assert all(reason in read.text for reason in report.reasons)
    assert read.open == []


def test_the_same_run_gives_the_same_bytes(folder: Folder, tmp_path: Path) -> None:
    first, second = write(folder.write(tmp_path / "a")), write(folder.write(tmp_path / "b"))
    assert first.path.read_bytes() == second.path.read_bytes()
    assert (tmp_path / "a/decision.json").read_bytes() == (tmp_path / "b/decision.json").read_bytes()


def test_it_asks_for_no_other_file_and_runs_nothing(folder: Folder, tmp_path: Path) -> None:
    assert folder.samples is not None
    for sample in folder.samples:
        sample["body"] = "see https://example.com/x.js"
    text = write(folder.write(tmp_path)).path.read_text("utf-8")
    read = Page(text)
    tags = {tag for tag, _ in read.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    for tag, attributes in read.tags:
        assert "src" not in attributes
        assert not [name for name in attributes if name.startswith("on")], tag
        assert str(attributes.get("href", "#")).startswith("#")
    style = text[text.index("<style>") : text.index("</style>")]
    assert not re.search(r"url\(|@import|https?:", style)
    policies = [attributes for tag, attributes in read.tags if "http-equiv" in attributes and tag == "meta"]
    assert str(policies[0]["content"]).startswith("default-src 'none'")


def test_links_lead_somewhere_and_ids_are_unique(folder: Folder, tmp_path: Path) -> None:
    read = page(folder, tmp_path)
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    links = {str(attributes["href"])[1:] for _, attributes in read.tags if "href" in attributes}
    labels = {one for _, attributes in read.tags for one in str(attributes.get("aria-labelledby") or "").split()}
    assert len(ids) == len(set(ids))
    assert links | labels <= set(ids)
    assert len(links) == 4


HOSTILE = '</code></pre></style><script>alert("x")</script><img src=x onerror=alert(1)>{{ 7*7 }}&amp;'


def test_foreign_text_is_escaped_everywhere(folder: Folder, tmp_path: Path) -> None:
    folder.run |= {"name": HOSTILE, "dataset": HOSTILE, "versions": {HOSTILE: HOSTILE}, "machine": HOSTILE}
    folder.config = HOSTILE
    assert folder.evaluation is not None
    assert folder.samples is not None
    folder.evaluation["repositories"] = [HOSTILE]
    for sample in folder.samples:
        sample |= dict.fromkeys(("repository", "path", "change", "title", "body", "before", "decision"), HOSTILE)
        sample |= dict.fromkeys(("plan", "predicted_plan", "code", "generated"), HOSTILE)
        sample["diagnostic"] = {"kind": HOSTILE, "line": 1, "column": 3, "message": HOSTILE}
    report = write(folder.write(tmp_path))
    text = report.path.read_text("utf-8")
    read = Page(text)
    assert "<script" not in text
    assert "<img" not in text
    assert "onerror=alert(1)&gt;" in text
    assert read.open == []
    assert HOSTILE in read.text
    assert "49&amp;" not in text


def test_what_a_browser_would_hide_is_spelt_out(folder: Folder, tmp_path: Path) -> None:
    assert folder.samples is not None
    for sample in folder.samples:
        sample["generated"] = "a\u202eb\x00c\u200bd\ud800e\rf\n\tg"
    text = page(folder, tmp_path).text
    assert "a<U+202E>b<U+0000>c<U+200B>d<U+D800>e<U+000D>f\n\tg".replace("<", "\u2039").replace(">", "\u203a") in text
    assert "\u202e" not in text


def leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for value in tree.values() for leaf in leaves(value)]
    if isinstance(tree, list) and not all(isinstance(one, float) for one in tree):
        return [leaf for value in tree for leaf in leaves(value)]
    return [tree]


def unlike(tree: Any, counter: list[int]) -> Any:
    """Return the tree with every number replaced by one that occurs nowhere else."""
    if isinstance(tree, dict):
        return {key: unlike(value, counter) for key, value in tree.items()}
    if isinstance(tree, list):
        return [unlike(value, counter) for value in tree]
    if isinstance(tree, bool) or not isinstance(tree, (int, float)):
        return tree
    counter[0] += 1
    return 1000 + counter[0] if isinstance(tree, int) else round(0.1 + counter[0] * 0.0019, 4)


def test_every_number_of_the_evaluation_is_shown_as_given(folder: Folder, tmp_path: Path) -> None:
    assert folder.evaluation is not None
    synthetic, temperature = folder.evaluation["synthetic"], folder.evaluation["generation"]["temperature"]
    folder.evaluation = unlike(folder.evaluation, [0])
    folder.evaluation["generation"]["temperature"], folder.evaluation["synthetic"] = temperature, synthetic
    folder.baselines.clear()
    shown = page(folder, tmp_path).text
    for part in folder.evaluation["generation"].values():
        if isinstance(part, dict):
            assert all(interval(tuple(part[f"{one}_interval"])) in shown for one in ("valid", "improved", "close"))
            assert all(percent(value) in shown for key, value in part.items() if key.endswith("_share"))
            assert all(
                number(value) in shown for key, value in part.items() if "similarity" in key or key in {"chrf", "count"}
            )
    for section in ("checkpoint", "losses", "validation", "decisions", "parameters", "test_reads"):
        for value in (one for one in leaves(folder.evaluation[section]) if not isinstance(one, str)):
            told = span((value[0], value[1])) if isinstance(value, list) else number(value)
            assert told in shown, (section, value)
    assert all(number(value, 1) in shown for value in folder.evaluation["seconds"].values())


def test_the_small_tables_show_what_was_measured(folder: Folder, tmp_path: Path) -> None:
    text = page(folder, tmp_path).text
    assert all(one in text for one in ("Is the planner a planner?", "z_L, cycle 2, pass 3", "3.125"))
    assert all(one in text for one in ("Without the coder's last cycle", "1.438", "predicted plan given"))
    assert all(one in text for one in ("Where the bits are", "Added", "1.357"))
    assert "66.7%" in text


def test_types_and_tasks_are_shown_as_far_as_they_go(folder: Folder, tmp_path: Path) -> None:
    del evaluated(folder.baselines["equal_parameters"])["tasks"]
    text = " ".join(page(folder, tmp_path).text.split())
    assert "Decided by the file alone22.5%22.5%22.5%" in text
    assert "Type-clean, of what is decided: the merged code98.8%" in text
    assert f"pass@18.8%{ABSENT}8.8%" in text
    assert "1.2% to 16.2%" in text
    assert f"Attempts: does not build53{ABSENT}53" in text
    assert "Tasks: own/leap: its reference: failed." in text


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("probes", "Is the planner"),
        ("ngram", "5-gram"),
        ("copying", "Copying the input0"),
        ("unchecked", "This run, unchecked"),
        ("random_edit", "A random legal edit"),
        ("types", "Decided by the file alone"),
        ("tasks", "Tasks with tests"),
        ("validation", "Losses on the validation fold"),
    ],
)
def test_what_an_older_evaluation_lacks_has_no_table(folder: Folder, tmp_path: Path, key: str, title: str) -> None:
    for one in (folder, *folder.baselines.values()):
        del evaluated(one)[key]
    assert title not in page(folder, tmp_path).text


def test_the_table_sets_the_baselines_beside_the_run(folder: Folder, tmp_path: Path) -> None:
    text = " ".join(page(folder, tmp_path).text.split())
    columns = "This runPlain model of equal parametersPlain model of equal FLOPs5-gram model, unchecked"
    assert columns + "This run, uncheckedA random legal edit, of modificationsCopying the input" in text
    assert f"Plan and code bits per byte of code1.2341.3101.3102.688{ABSENT * 3}" in text
    assert "Valid Go81.4%81.4%81.4%81.4%81.4%81.4%96.2%" in text
    assert "What was not measured" in text
    assert "The plain model of equal FLOPs: it was not trained." not in text


def test_every_chart_is_well_formed_and_all_losses_are_drawn(folder: Folder, tmp_path: Path) -> None:
    text = write(folder.write(tmp_path)).path.read_text("utf-8")
    charts = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]
    keys = {
        svg.findtext("title"): [one.text for one in svg.iter("text") if one.get("class") == "key"] for svg in charts
    }
    assert len(charts) == 12
    loss = keys["Code loss (nats per token)"]
    assert loss[:2] == ["this run, training", "this run, validation"]
    assert set(loss[2:]) == {
        f"equal {what}, {part}" for what in ("parameters", "FLOPs") for part in ("training", "validation")
    }
    assert keys["Gradient depth (passes with gradient)"] == ["this run"]


def test_what_is_missing_is_listed(folder: Folder, tmp_path: Path) -> None:
    folder.evaluation = folder.samples = folder.best = None
    folder.baselines.clear()
    (folder.write(tmp_path) / "metrics.jsonl").unlink()
    report = write(tmp_path)
    read = Page(report.path.read_text("utf-8"))
    assert report.decision == "NOT ENOUGH EVIDENCE"
    absent = read.text[read.text.index("What was not measured") :]
    for sentence in ("metrics.jsonl is missing", "evaluation.json is missing", "generations.jsonl is missing"):
        assert sentence in absent
    assert "The plain model of equal parameters: it was not trained." in absent
    assert "The plain model of equal FLOPs: it was not trained." in absent
    assert "svg" not in {tag for tag, _ in read.tags}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"test_reads": 7}, "the test fold was read 7 times"),
        ({"synthetic": True}, "the data are synthetic"),
        ({"split": "validation"}, "the figures are of the validation fold"),
        ({"decisions": None}, "Decisions on the model's own attempts."),
    ],
)
def test_reservations_about_the_evaluation_are_listed(
    folder: Folder, tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    assert folder.evaluation is not None
    assert sentence not in page(folder, tmp_path).text
    folder.evaluation |= change
    assert sentence in page(folder, tmp_path).text


def test_an_evaluation_of_the_validation_fold_is_reported(folder: Folder, tmp_path: Path) -> None:
    for one in (folder, *folder.baselines.values()):
        assert one.evaluation is not None
        one.evaluation |= {"split": "validation", "test_reads": None}
    report = write(folder.write(tmp_path))
    text = Page(report.path.read_text("utf-8")).text
    assert report.decision == "NOT ENOUGH EVIDENCE"
    assert "only test decides" in report.reasons[0]
    assert "Reads of the test foldnot read" in text
    assert "A first look" not in text


def test_why_a_baseline_cannot_be_compared_is_listed(folder: Folder, tmp_path: Path) -> None:
    baseline = folder.baselines["equal_flops"]
    assert baseline.evaluation is not None
    baseline.train = baseline.train[:150]
    baseline.evaluation["generation"]["temperature"] = 0.7
    text = page(folder, tmp_path).text
    absent = text[text.rindex("What was not measured") :]
    sentence = "its last logged step is 150 of 200; it generated at temperature 0.7, the run at 0."
    assert f"The lead over the plain model of equal FLOPs: {sentence}" in absent
    assert "The lead over the plain model of equal parameters" not in absent


def test_the_page_says_what_the_measure_compares_with(folder: Folder, tmp_path: Path) -> None:
    text = page(folder, tmp_path).text
    assert "without those of which only comments change" in text
    assert "more than two thirds of the way" in text
    assert "is the declaration above it, or a signature with an empty body, the output's own or the reference's" in text


def test_the_report_carries_the_samples_of_the_page(folder: Folder, tmp_path: Path) -> None:
    report = write(folder.write(tmp_path))
    titles = re.findall(r"<h3>(queue: .*?)</h3>", report.path.read_text("utf-8"))
    assert len(titles) == 12
    assert titles == [shown.sample.title for shown in report.samples]


@pytest.mark.fault
def test_nothing_half_written_is_left(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder.write(tmp_path))
    whole = (tmp_path / "report.html").read_bytes()

    def break_off(_path: Path, _target: Path) -> Path:
        raise OSError("killed before the new page took the old one's place")

    monkeypatch.setattr(Path, "replace", break_off)
    folder.run["name"] = "another"
    with pytest.raises(OSError, match="killed"):
        write(folder.write(tmp_path))
    assert (tmp_path / "report.html").read_bytes() == whole


def test_a_run_that_stopped_early_says_so(folder: Folder, tmp_path: Path) -> None:
    folder.train = folder.train[:150]
    assert "the last logged step is 150 of 200" in page(folder, tmp_path).text


def test_samples_mark_the_error_and_carry_their_badges(folder: Folder, tmp_path: Path) -> None:
    assert folder.samples is not None
    folder.samples = [sample for sample in folder.samples if not sample["valid"]]
    text = write(folder.write(tmp_path)).path.read_text("utf-8")
    assert text.count('<article class="sample">') == 12
    assert text.count("4:2 syntax error: this does not parse") == 12
    assert text.count("<mark>") == 12
    assert text.count(">not valid</span>") == 12
    assert text.count(">not improved</span>") == 12


def test_the_settings_and_the_hash_are_in_the_footer(folder: Folder, tmp_path: Path) -> None:
    folder.best = {"step": 180, "objective": None}
    folder.train[-1]["bad_steps"] = 3
    text = page(folder, tmp_path).text
    footer = text[text.index("Provenance") :]
    for told in (
        "9f2ab4c1d7e08855",
        "seed: 7",
        "torch 2.13.0",
        "cpu 2 cores",
        "Reads of the test fold",
        "not finite3",
        "step 180",
    ):
        assert told in footer


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not a run folder, run.json is missing"):
        write(tmp_path)


def test_reporting_imports_neither_the_model_nor_torch() -> None:
    code = "import sys, hrm_ray.report.page; print([m for m in sys.modules if m.split('.')[0] in ('torch', 'ray')])"
    code += "; print([m for m in sys.modules if m.startswith(('hrm_ray.train', 'hrm_ray.model'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n[]\n"
