"""The results that README's "what to expect" shows: tables and plots of runs, from JSON that is in the repository.

    python benchmarks/results.py gather runs/real-edit --into docs/results   # needs the evaluated run folder
    python benchmarks/results.py render docs/results                         # `make results`: needs only the JSON

`gather` keeps of a run with its baselines and seeds what the tables show: validation with its probes, losses, shares of
what was written, and of three samples the plan and the lines that were added (not the code before, which is others').
`render` writes README.md and an SVG for each curve beside the JSON. Means are over seeds; from three on with Student's
95% interval.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from difflib import ndiff
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import numpy as np
import typer

from hrm_ray.errors import UserError
from hrm_ray.evaluate.series import Series
from hrm_ray.files import write_text
from hrm_ray.report import compare, files, seeds
from hrm_ray.report.charts import Line, chart
from hrm_ray.report.seeds import Spread

app = typer.Typer(add_completion=False)

NETWORKS = {"hrm": "HRM", "equal_parameters": "plain, equal parameters", "equal_flops": "plain, equal FLOPs"}
STYLES = {"hrm": "run", "equal_parameters": "parameters", "equal_flops": "flops"}
PROBES = {
    "unchanged_nats": "unchanged text (nats a token)",
    "changed_nats": "changed text",
    "reading_gain": "reading gain: another prefix less its own",
    "plan_name_nats": "names of the plan that stand in the prefix",
    "first_line_nats": "first line number",
    "copy_nats": "copies of random tokens",
    "long_copy_nats": "longer ones than trained",
}
CURVES = {
    "reading_gain": "Reading gain, validation (nats a token)",
    "unchanged_nats": "Unchanged text, validation (nats a token)",
    "code_bits_per_byte": "Code, validation (bits a byte)",
}
LOSSES = ("plan_bits_per_byte", "code_bits_per_byte", "code_bits_per_byte_no_plan")
UNIFORM = {"first_line_nats": "first_line_uniform_nats", "copy_nats": "uniform_nats", "long_copy_nats": "uniform_nats"}
SHARES = {
    "valid_share": "valid Go",
    "first_share": "valid and a change at the first try",
    "improved_share": "improved",
    "close_share": "close",
    "copy_share": "no change",
    "finished_share": "ended within the budget",
    "edit_similarity": "edit similarity",
    "tries": "first answer that stands",
}
NUMBERS = ("edit_similarity", "tries")
"""Those that are no shares."""
STYLE = """<style>svg{background:#fcfcfb;font-family:system-ui,sans-serif}text{font-size:11.5px;fill:#50565e}
.y,.name{text-anchor:end}.x{text-anchor:middle}.grid{stroke:#e2e4e7}.axis{stroke:#737a83}
.line{fill:none;stroke-width:1.8}.run{stroke:#2360b0}.parameters{stroke:#b9591a}.flops{stroke:#2f7f73}
circle.run{fill:#2360b0}circle.parameters{fill:#b9591a}circle.flops{fill:#2f7f73}</style>"""


@app.command()
def gather(run_dir: Path, into: Path = Path("docs/results")) -> None:
    """Keep what the tables show of an evaluated run, its baselines and its seeds as INTO/NAME.json.

    Seeds and baselines that `report` would not compare are left out, and said why.
    """
    main = files.read(run_dir)
    if main.evaluation is None or main.metrics is None:
        raise UserError(f"{run_dir}: is not evaluated yet; hrm-ray evaluate {run_dir}")
    runs = seeds.comparable(main)
    networks = {"hrm": runs}
    for sentence in seeds.obstacles(main):
        print(f"left out: {sentence}")
    for role in (role for role in NETWORKS if role in main.baselines):
        pairs = [(one, one.baselines[role]) for one in runs if role in one.baselines]
        for reason in (reason for one, plain in pairs for reason in compare.obstacles(one, plain)):
            print(f"left out, {role}: {reason}")
        networks[role] = [plain for one, plain in pairs if not compare.obstacles(one, plain)]
    kept = {
        "name": main.run.name,
        "date": date.today().isoformat(),
        "machine": main.run.machine,
        "steps": main.run.horizon,
        "tokens_per_step": int(main.run.tokens_per_step or 0),
        "repositories": main.evaluation.repositories,
        "rule": f"the likeliest of {main.evaluation.generation.candidates} that is valid and a change",
        "networks": {name: [_network(one) for one in found] for name, found in networks.items() if found},
        "references": _references(main.evaluation),
        "samples": [_sample(one) for one in (main.samples or ()) if one.before][:3],
    }
    into.mkdir(parents=True, exist_ok=True)
    write_text(into / f"{main.run.name}.json", json.dumps(kept, indent=1) + "\n")


@app.command()
def render(folder: Annotated[Path, typer.Argument()] = Path("docs/results")) -> None:
    """Write README.md and the curves from every JSON file in FOLDER."""
    found = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]
    parts = ["# Results", "Written by `make results` from the JSON beside it; benchmarks/results.py says what is kept."]
    for run in found:
        parts += _section(run, folder)
    write_text(folder / "README.md", "\n\n".join(parts) + "\n")


def _network(run: files.RunFolder) -> dict[str, Any]:
    assert run.metrics and run.evaluation, "it is comparable"
    names = [*PROBES, *UNIFORM.values(), *CURVES, "plan_bits_per_byte"]
    evaluation = run.evaluation
    return {
        "parameters": run.run.parameters,
        "seconds": round(float(run.metrics.series("train", "seconds").values.sum())),
        "validation": [
            {"step": fields["step"]} | {name: _short(fields.get(name)) for name in dict.fromkeys(names)}
            for _, fields in run.metrics.lines["validation"]
        ],
        "losses": {name: _short(getattr(evaluation.losses, name)) for name in LOSSES},
        "written": _written(evaluation.generation),
        "unchecked": _written(evaluation.unchecked) if evaluation.unchecked else None,
    }


def _references(evaluation: files.Evaluation) -> dict[str, Any]:
    named = {"a random legal edit": evaluation.random_edit, "the input": evaluation.copying}
    found: dict[str, Any] = {name: {"written": _written(one)} for name, one in named.items() if one}
    if grams := evaluation.ngram:
        losses = {name: _short(getattr(grams.losses, name, None)) for name in LOSSES}
        found[f"{grams.order}-gram model, unchecked"] = {"losses": losses, "written": _written(grams.generation)}
    return found


def _written(one: files.Written) -> dict[str, Any]:
    names = ("count", *SHARES)
    parts = {"modified": one.modified, "added": one.added}
    return {kind: {name: _short(getattr(part, name)) for name in names} for kind, part in parts.items()}


def _sample(one: files.Sample) -> dict[str, Any]:
    lines = ndiff(one.before.split("\n"), one.generated.split("\n"))
    given = {line.strip() for line in one.before.split("\n")}
    added = [line[2:] for line in lines if line.startswith("+ ") and line[2:].strip() not in given]
    source = {"repository": one.repository, "number": one.number, "path": one.path}
    return {**source, "plan": one.predicted_plan, "added": added, "valid": one.valid, "improved": one.improved}


def _short(value: Any) -> Any:  # noqa: ANN401 - whatever a record holds
    if isinstance(value, (tuple, list)):
        return [_short(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value


def _section(run: Mapping[str, Any], folder: Path) -> Iterator[str]:
    networks: Mapping[str, Sequence[Mapping[str, Any]]] = run["networks"]
    count = len(networks["hrm"])
    yield f"## {run['name']}"
    yield (
        f"{run['steps']:,} steps of {run['tokens_per_step']:,} tokens, {count} seed{'s' * (count > 1)}; "
        f"{run['machine']}; {run['date']}. "
        f"Held out: {', '.join(run['repositories'])}."
    )
    sizes = {label: found for name, label in NETWORKS.items() if (found := networks.get(name))}
    cells = {
        "parameters": [f"{found[0]['parameters']:,}" for found in sizes.values()],
        "minutes of training": [_figure(fmean(one["seconds"] for one in found) / 60) for found in sizes.values()],
    }
    yield _table(["", *sizes], cells)
    yield "Does it read? The last validation of each:"
    last = {NETWORKS[name]: [one["validation"][-1] for one in found] for name, found in networks.items()}
    guesses = {name: last[NETWORKS["hrm"]][0].get(key) for name, key in UNIFORM.items()}
    rows = {label: [*_over(last, name), _figure(guesses.get(name))] for name, label in PROBES.items()}
    yield _table(["nats", *last, "a uniform guess"], rows)
    losses = {NETWORKS[name]: [one["losses"] for one in found] for name, found in networks.items()}
    losses |= {name: [one["losses"]] for name, one in run["references"].items() if "losses" in one}
    labels = {"plan_bits_per_byte": "plan", "code_bits_per_byte": "code", LOSSES[2]: "code, without a plan"}
    yield "Losses on the held-out repositories:"
    yield _table(["bits a byte", *losses], {label: _over(losses, name) for name, label in labels.items()})
    for kind, title in {"modified": "Modifications", "added": "Additions"}.items():
        yield from _shares(run, kind, title)
    if count > 1:
        yield "The recurrence less the plain network of the same seed:"
        yield _table(["", *[*sizes][1:]], _leads(run))
    yield " ".join(_curve(run, name, title, folder) for name, title in CURVES.items())
    if run["samples"]:
        yield "The first three modifications: the plan, and the lines that do not stand in the declaration before."
        yield from map(_shown, run["samples"])


def _shares(run: Mapping[str, Any], kind: str, title: str) -> Iterator[str]:
    columns = {NETWORKS[name]: [one["written"][kind] for one in found] for name, found in run["networks"].items()}
    columns["HRM, unchecked"] = [one["unchecked"][kind] for one in run["networks"]["hrm"] if one["unchecked"]]
    columns |= {
        name: [one["written"][kind]] for name, one in run["references"].items() if one["written"][kind]["count"]
    }
    yield f"{title}, {columns['HRM'][0]['count']:,} of each network; scored is {run['rule']}:"
    rows = {label: _over(columns, name, share=name not in NUMBERS) for name, label in SHARES.items()}
    yield _table(["", *columns], rows)


def _leads(run: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the differences within seeds of the figures that count most, by their labels."""
    figures: dict[str, Callable[[Mapping[str, Any]], float]] = {
        "reading gain (nats)": lambda one: one["validation"][-1]["reading_gain"],
        "plan (bits a byte)": lambda one: one["losses"]["plan_bits_per_byte"],
        "code (bits a byte)": lambda one: one["losses"]["code_bits_per_byte"],
        "modifications: valid Go": lambda one: one["written"]["modified"]["valid_share"],
        "modifications: improved": lambda one: one["written"]["modified"]["improved_share"],
    }
    networks = run["networks"]
    plain = [networks[name] for name in NETWORKS if name in networks and name != "hrm"]
    rows = dict[str, list[str]]()
    for label, figure in figures.items():
        pairs = [zip(networks["hrm"], found, strict=True) for found in plain]
        leads = {at: [{"lead": figure(one) - figure(other)} for one, other in pair] for at, pair in enumerate(pairs)}
        rows[label] = _over(leads, "lead")
    return rows


def _over(columns: Mapping[Any, Sequence[Mapping[str, Any]]], name: str, share: bool = False) -> list[str]:
    """Return the mean of a figure for each column, with its interval where there are seeds enough."""
    cells = []
    for found in columns.values():
        values = tuple(one[name] for one in found if one.get(name) is not None)
        spread = Spread(values) if values else None
        bounds = spread.interval if spread else None
        if bounds and share:
            bounds = (max(0.0, bounds[0]), min(1.0, bounds[1]))
        around = f" [{', '.join(_figure(bound, share) for bound in bounds)}]" if bounds else ""
        cells.append(_figure(spread.mean if spread else None, share) + around)
    return cells


def _figure(value: float | None, share: bool = False) -> str:
    return "" if value is None else f"{value:.1%}" if share else f"{value:.2f}"


def _table(head: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *([label, *cells] for label, cells in rows.items())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _curve(run: Mapping[str, Any], name: str, title: str, folder: Path) -> str:
    lines = []
    for network, found in run["networks"].items():
        for number, one in enumerate(found):
            points = [(line["step"], line[name]) for line in one["validation"] if line[name] is not None]
            steps, values = np.array(points, np.float64).reshape(-1, 2).T
            lines.append(Line("" if number else NETWORKS[network], Series(steps, values), STYLES[network], dots=True))
    svg = chart(name, title, lines).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" width="460" ', 1)
    if not svg:
        return ""
    file = f"{run['name']}.{name}.svg"
    write_text(folder / file, re.sub(r"(<svg[^>]*>)", rf"\1{STYLE}", svg, count=1) + "\n")
    return f"![{title}]({file})"


def _shown(sample: Mapping[str, Any]) -> str:
    verdict = "improves" if sample["improved"] else "valid" if sample["valid"] else "not valid"
    added = [f"+ {line}" for line in sample["added"]] or ["(no line that does not stand there)"]
    written = "\n".join([*sample["plan"].split("\n"), *added])
    return f"{sample['repository']} #{sample['number']}, {sample['path']}: {verdict}\n```\n{written}\n```"


if __name__ == "__main__":
    app()
