"""What `hrm-ray collect` does."""

from __future__ import annotations

from rich.progress import Progress

from hrm_ray.collect import records
from hrm_ray.collect.clones import collect_functions, collect_history
from hrm_ray.collect.collection import Tally
from hrm_ray.collect.synthetic import pull_requests
from hrm_ray.config import Config
from hrm_ray.errors import UserError


def collect(config: Config, progress: Progress) -> None:
    """Write the pull requests, or the functions, that `config.collect` describes.

    Raises:
        UserError: `prepare.input` is set, so that nothing would read the pull requests that are collected.
    """
    source = config.collect.source
    if source != "functions" and config.prepare.input is not None:
        raise UserError(f"prepare.input is {config.prepare.input}, so nothing would read what collect writes; unset it")
    sources = {
        "synthetic": _make_up,
        "history": collect_history,
        "commits": collect_history,
        "github": _ask,
        "functions": collect_functions,
    }
    sources[source](config, progress)


def _make_up(config: Config, progress: Progress) -> None:
    source, path = config.collect, config.pull_requests
    total = source.repositories * source.pull_requests
    progress.console.print(f"collecting {total} synthetic pull requests of {source.repositories} repositories")
    bar = progress.add_task("collect", total=total)
    tally = Tally()
    made = tally.passed(pull_requests(source.repositories, source.pull_requests, config.seed))
    count = records.write(path, progress.track(made, task_id=bar))
    tally.write(config)
    progress.console.print(f"{path}: {count} pull requests")


def _ask(config: Config, progress: Progress) -> None:
    from hrm_ray.collect.github.command import collect_github  # the client takes a quarter of a second to import

    collect_github(config, progress)
