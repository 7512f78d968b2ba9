"""The verbs of `hrm-ray`: each parses, calls one function, and prints what it will do, made and where it is.

Heavy libraries are imported by the verb that needs them, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from hrm_ray.errors import UserError, explained
from hrm_ray.interrupts import interrupt_on_sigterm
from hrm_ray.paths import local

app = typer.Typer(
    help="From the pull-request history of Go repositories to a model that plans, writes and judges changes.",
    epilog="The usual order: collect, prepare, train, evaluate, report. `train CONFIG --show` prints every setting.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _path(named: str) -> Path:
    """Read a path as settings do."""
    try:
        return local(named)
    except ValueError as error:
        raise UserError(f"{named!r}: {error}") from error


def _rank(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise UserError(f"--top: expected a whole number (at least 1), found {text}")
    return int(text)


ConfigFile = Annotated[
    Path, typer.Argument(metavar="CONFIG", parser=_path, help="A YAML file of settings; experiments/ has some.")
]
SearchFile = Annotated[
    Path, typer.Argument(metavar="SEARCH", parser=_path, help="A YAML file of a search; experiments/tune-*.yaml.")
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", parser=_path, help="A run folder that `train` made.")]
Overrides = Annotated[
    list[str], typer.Option("--set", metavar="KEY.PATH=VALUE", help="Replace one setting; may be repeated.")
]


CONTINUED = ("collect", "prepare", "train", "tune", "evaluate")
"""The verbs that a second call takes to their end from where the first one stopped."""

STOPPED = {130: "stopped", 143: "stopped by SIGTERM"}
"""Exit codes with what is said then."""


@app.command()
def collect(config: ConfigFile, set_: Overrides = []) -> None:  # noqa: B006 - typer asks for a list
    """Gather pull requests into the data folder."""
    from hrm_ray import subject

    loaded = subject.experiment("collect", config, set_)
    from hrm_ray.collect.command import collect as run
    from hrm_ray.progress import bars

    with bars() as progress:
        run(loaded, progress)


@app.command()
def prepare(config: ConfigFile, set_: Overrides = []) -> None:  # noqa: B006
    """Turn pull requests into examples, folds, a tokenizer and token shards."""
    from hrm_ray import subject

    loaded = subject.experiment("prepare", config, set_)
    from hrm_ray.launch.session import session
    from hrm_ray.prepare.command import prepare_dataset
    from hrm_ray.progress import bars

    with bars() as progress:
        prepare_dataset(loaded, progress, session)


@app.command()
def train(
    config: ConfigFile,
    set_: Overrides = [],  # noqa: B006
    show: Annotated[
        bool, typer.Option("--show", help="Print the settings and what follows from them, and stop.")
    ] = False,
) -> None:
    """Train the model and its baselines; the same command goes on where a run stopped."""
    from hrm_ray import subject

    loaded = subject.experiment("train", config, set_)
    from hrm_ray.launch.session import ray_for

    with nullcontext() if show else ray_for(loaded):  # its processes come up while torch is imported
        from hrm_ray.launch import command

        command.show(loaded) if show else command.train_all(loaded)


@app.command()
def tune(
    search: SearchFile,
    set_: Overrides = [],  # noqa: B006
    show: Annotated[bool, typer.Option("--show", help="Print the search and what follows from it, and stop.")] = False,
) -> None:
    """Search loss weights and schedules; the same command goes on where a search stopped."""
    from hrm_ray import subject
    from hrm_ray.tune import space

    subject.require("tune", search)
    study = space.load(search, set_)
    from hrm_ray.tune import command

    command.show(study) if show else command.tune(study)


@app.command()
def evaluate(run: RunFolder, set_: Overrides = []) -> None:  # noqa: B006
    """Measure losses, generated code and decisions on held-out examples, for the run and its baselines."""
    from hrm_ray import subject

    subject.run("evaluate", run, set_)
    from hrm_ray.launch.evaluate import evaluate_all

    evaluate_all(run, set_)


@app.command()
def generate(
    run: RunFolder,
    set_: Overrides = [],  # noqa: B006
    title: Annotated[str, typer.Option(metavar="TEXT", help="What is to be done, as a pull request's title.")] = "",
    body: Annotated[str, typer.Option(metavar="TEXT", help="More of it.")] = "",
    repo: Annotated[
        Path, typer.Option(metavar="FOLDER", parser=_path, help="The git working tree; it is only read.")
    ] = Path(),
    file: Annotated[str, typer.Option(metavar="FILE.go", help="The file to change; else the best of all.")] = "",
    declaration: Annotated[str, typer.Option(metavar="NAME", help="What to change in it; a method is Type.Name.")] = "",
    add: Annotated[bool, typer.Option("--add", help="Add one behind it, or else at the file's end.")] = False,
    top: Annotated[
        int | None, typer.Option(metavar="K", parser=_rank, help="Declarations to change without a file; else 3.")
    ] = None,
    problems: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl", parser=_path, help="Many problems, one a line.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", parser=_path, help="Where to write; else RUN/patches.")
    ] = None,
) -> None:
    """Write changes: of the validation fold, beside what was really merged; with --title a patch to your own code."""
    given = {"title": title, "body": body, "file": file, "declaration": declaration, "add": add}
    asked = {name: value for name, value in given.items() if value}
    if top and (file or not title):
        raise UserError("--top: is how many declarations to rank for a --title without --file")
    if problems is not None and asked:
        raise UserError(f"--problems: each line of {problems} says its own {', '.join(asked)}")
    is_patch = problems is None and bool(asked or to or repo != Path())
    from hrm_ray import settings, subject

    if is_patch:
        from hrm_ray.patch.request import Request

        settings.check(Request, asked | {"repo": repo}, "generate")
    subject.run("generate", run, set_)
    if problems is not None:
        from hrm_ray.patch.batch import write_results

        write_results(run, set_, problems, repo, to)
    elif is_patch:
        from hrm_ray.patch.command import write_patch

        write_patch(run, set_, asked | {"repo": repo}, top or 3, to)
    else:
        from hrm_ray.evaluate.command import show_generated

        show_generated(run, set_)


@app.command()
def export(
    run: RunFolder,
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", parser=_path, help="The folder to write, or an export to replace.")
    ],
    set_: Overrides = [],  # noqa: B006
) -> None:
    """Write the best checkpoint as a folder that `transformers` loads, with a model card."""
    from hrm_ray import subject

    subject.run("export", run, set_)
    from hrm_ray.evaluate.export import export as write

    write(run, to, set_)


@app.command()
def report(run: RunFolder) -> None:
    """Write report.html with the evidence, the decision and its reasons."""
    from hrm_ray import subject

    subject.require("report", run)
    from hrm_ray.report.command import show_report

    show_report(run)


@app.command()
def submit(
    verb: Annotated[str, typer.Argument(metavar="VERB", help="collect, prepare, train, tune, evaluate or report.")],
    subject: Annotated[Path, typer.Argument(metavar="CONFIG|RUN", parser=_path, help="What that verb takes.")],
    set_: Overrides = [],  # noqa: B006
    address: Annotated[
        str | None, typer.Option(metavar="URL", help="The cluster's dashboard; else RAY_ADDRESS names it.")
    ] = None,
) -> None:
    """Run a verb as a job of a Ray cluster, follow its log, and end as it does."""
    from hrm_ray.launch import job

    job.entrypoint(verb, subject, set_)
    from hrm_ray.launch.submit import submit as run

    sys.exit(run(verb, subject, set_, address))


@app.command()
def doctor() -> None:
    """Say what this machine has, and what to do about what is missing."""
    from hrm_ray.launch.doctor import examine

    sys.exit(examine())


def main() -> None:
    """Run a verb: 0 done, 1 an internal fault with its traceback, 2 a user error, 3 nothing usable generated, 130
    after Ctrl-C, 143 after SIGTERM."""
    terminated = interrupt_on_sigterm()
    try:
        with explained():
            code = app(standalone_mode=False)
    except BaseException as error:
        code = 143 if terminated() else _explained(error)
    if code and terminated():
        code = 143
    if code in STOPPED:
        verb = next(iter(sys.argv[1:]), "")
        print(f"{STOPPED[code]}{'; the same command continues' if verb in CONTINUED else ''}", file=sys.stderr)
    sys.exit(code)


def _explained(error: BaseException) -> int:
    """Print what the user can mend and return the exit code; raise everything else."""
    if isinstance(error, UserError):
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if isinstance(error, typer.TyperException):
        from hrm_ray.usage import sentence

        if words := sys.argv[1:]:  # for no words at all, typer has just printed its help
            print(f"error: {sentence(error, words)}", file=sys.stderr)
        return 2
    if isinstance(error, KeyboardInterrupt):
        return 130
    raise error
