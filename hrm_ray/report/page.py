"""From a run folder to `report.html`, one self-contained file, and `decision.json`.

`hrm-ray report RUN` calls `write`. The page has no script, asks for no other file, and holds no time of its own: the
same run gives the same bytes. Generated text is foreign: everything is escaped, and what a browser would hide is spelt
out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from hrm_ray.files import write_text
from hrm_ray.report import text
from hrm_ray.report.absent import not_measured
from hrm_ray.report.curves import figures
from hrm_ray.report.decide import Decision, Verdict, decide
from hrm_ray.report.details import detail_tables
from hrm_ray.report.files import RunFolder, read
from hrm_ray.report.samples import Shown, choose
from hrm_ray.report.tables import confusions, evaluation_table

VERDICT_STYLES: Mapping[Verdict, str] = {"GO": "yes", "NO-GO": "no", "NOT ENOUGH EVIDENCE": "unknown"}


@dataclass(frozen=True)
class Report:
    """Where the page is, and what it says; `samples` are those that it shows."""

    path: Path
    decision: Verdict
    reasons: tuple[str, ...]
    samples: tuple[Shown, ...]


def write(run_dir: Path) -> Report:
    """Write `report.html` and `decision.json` into the run folder.

    Raises:
        UserError: the folder is not a run's, or a file in it is broken; the sentence names file and line or field.
    """
    run = read(run_dir)
    decision, samples = decide(run), tuple(choose(run.samples or ()))
    path = run_dir / "report.html"
    write_text(path, render(run, decision, samples))
    write_text(run_dir / "decision.json", f"{json.dumps(decision.as_json(), indent=2, allow_nan=False)}\n")
    return Report(path, decision.verdict, decision.reasons, samples)


def render(run: RunFolder, decision: Decision, samples: Sequence[Shown]) -> str:
    """Return the page with these samples."""
    curves, absent_curves = figures(run)
    return template("page.html", f"{run.run.name}: {decision.verdict}").render(
        run=run,
        decision=decision,
        style=VERDICT_STYLES[decision.verdict],
        figures=[(figure.title, Markup(figure.svg)) for figure in curves],
        table=evaluation_table(run),
        details=list(detail_tables(run)),
        confusions=confusions(run.evaluation),
        samples=samples,
        not_measured=list(not_measured(run, absent_curves)),
        provenance=_provenance(run),
    )


def template(name: str, title: str) -> Template:
    """Return a template of this folder, for a page with this title; whatever is printed in it is escaped."""
    environment = Environment(
        loader=PackageLoader("hrm_ray.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters.update(number=text.number, percent=text.percent)
    css = Markup(resources.files("hrm_ray.report").joinpath("page.css").read_text("utf-8"))
    return environment.get_template(name, globals={"css": css, "title": title})


def _finalize(value: Any) -> Any:  # noqa: ANN401 - whatever the template prints
    return text.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _provenance(run: RunFolder) -> list[tuple[str, str]]:
    record, evaluation, best = run.run, run.evaluation, run.best
    rows = [
        ("Run", f"{record.name} ({record.role})"),
        ("Parameters", text.number(record.parameters)),
        ("Horizon", f"{record.horizon:,} optimizer steps"),
        ("Tokens per step", text.number(record.tokens_per_step, 0)),
        ("Dataset", record.dataset),
        ("Dataset hash", record.dataset_hash),
        ("Best checkpoint", f"step {best.step:,}, objective {text.number(best.objective, 4)}" if best else text.ABSENT),
    ]
    skipped = run.metrics.series("train", "bad_steps").values.tolist() if run.metrics else []
    rows.append(("Steps skipped, not finite", text.number(int(skipped[-1])) if skipped else text.ABSENT))
    if evaluation:
        reads = evaluation.test_reads
        rows += [
            ("Evaluated", f"step {evaluation.checkpoint.step:,} on the {evaluation.split} fold"),
            ("Reads of the test fold", "not read" if reads is None else text.number(reads)),
            ("Repositories", ", ".join(evaluation.repositories) or text.ABSENT),
        ]
    return [*rows, ("Versions", listed(record.versions)), ("Machine", listed(record.machine))]


def listed(given: Mapping[str, Any] | str) -> str:
    """Return what a run says of its versions or its machine, on one line."""
    return given if isinstance(given, str) else ", ".join(f"{name} {value}" for name, value in given.items())
