"""`hrm-ray submit`: the working directory as a job of a Ray cluster, followed here to its end.

What travels is the working directory without what `cluster/runtime_env.yaml` excludes and git ignores: neither data nor
runs. They stay on a disk that the cluster's nodes share, so their paths must be absolute. The token of the cluster goes
into the headers of the requests (Ray reads it from RAY_AUTH_TOKEN or ~/.ray/auth_token) and nowhere else.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shlex
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from operator import attrgetter
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import aiohttp
from ray.exceptions import AuthenticationError
from ray.job_submission import JobDetails, JobStatus, JobSubmissionClient

from hrm_ray import settings
from hrm_ray.config.train import Ingredient
from hrm_ray.errors import UserError
from hrm_ray.progress import console
from hrm_ray.subject import require
from hrm_ray.yaml_text import parse_yaml

PLACES = {
    "collect": ("data", "collect.clones"),
    "prepare": ("data", "prepare.input", "prepare.functions"),
    "train": ("data", "runs", "train.mixture"),
    "tune": ("data", "runs"),
}
"""The verbs that take a CONFIG, and the settings of each that are paths on the cluster."""

VERBS_OF_RUNS = ("evaluate", "report")
"""The verbs that take a RUN."""

RUNTIME_ENV = Path("cluster/runtime_env.yaml")
"""What stays behind and what the environment gains, in the form that `ray job submit --runtime-env` reads too."""

ANSWER_SECONDS = 10.0
"""How long each address of the head may take to accept, and then the head to answer."""


def submit(verb: str, subject: Path, overrides: Sequence[str], address: str | None) -> int:
    """Run `hrm-ray VERB SUBJECT --set ...` on the cluster whose dashboard is at `address` (else at RAY_ADDRESS).

    Returns:
        0 where the job succeeded, 2 where it ended with the user's mistake, 1 where it failed otherwise or was stopped.

    Raises:
        UserError: the job cannot run there, or the cluster does not answer, refuses the token or was lost.
    """
    command, environment = entrypoint(verb, subject, overrides), runtime_env()
    logging.disable(logging.WARNING)  # Ray names every .gitignore that it reads, three times
    client = connect(address)
    head = client.get_address()
    try:
        job = client.submit_job(entrypoint=command, runtime_env=environment)
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(f"{head}: did not take the job ({_first_line(error)})") from error
    console.print(f"{head} runs {job}: {command}")
    return _exit_code(_ended(client, job))


def entrypoint(verb: str, subject: Path, overrides: Sequence[str]) -> str:
    """Return the shell command of the job.

    Raises:
        UserError: an unknown verb, a setting that cannot be used, or a path that the cluster does not have.
    """
    if verb in PLACES:
        require(verb, subject)
        subject = _travelling(subject)
        _check_places(verb, subject, overrides)
    elif verb not in VERBS_OF_RUNS:
        raise UserError(f"{verb}: not a verb that a job can run; those are {', '.join([*PLACES, *VERBS_OF_RUNS])}")
    elif not subject.is_absolute():
        raise UserError(f"{subject}: must be an absolute path on a disk that the cluster's nodes share")
    sets = [word for override in overrides for word in ("--set", override)]
    return shlex.join(["python", "-m", "hrm_ray", verb, str(subject), *sets])


def runtime_env() -> dict[str, Any]:
    """Return Ray's runtime environment of the job: this folder, and what its `cluster/runtime_env.yaml` says.

    Raises:
        UserError: the file is absent or not YAML; without it, data would travel.
    """
    try:
        text = RUNTIME_ENV.read_text("utf-8")
    except OSError as error:
        raise UserError(f"{RUNTIME_ENV}: not in {Path.cwd()}; submit from a checkout of hrm-ray") from error
    return {**parse_yaml(text, str(RUNTIME_ENV)), "working_dir": str(Path.cwd())}


def connect(address: str | None) -> JobSubmissionClient:
    """Return a client of the head whose dashboard is at `address`, else at RAY_ADDRESS.

    Raises:
        UserError: there is no address, no answer from it within 30 s, no Ray behind it, or it refuses the token.
    """
    address = (address or os.environ.get("RAY_ADDRESS", "")).rstrip("/")
    if not address.startswith(("http://", "https://")):
        given = f"{address}: not the address of a dashboard" if address else "no cluster is named"
        raise UserError(f"{given}; give --address http://HEAD:8265, or set RAY_ADDRESS to it")
    _check_answers(address)
    os.environ["RAY_API_SERVER_ADDRESS"] = address  # RAY_ADDRESS would beat the argument, and this beats both
    try:
        return JobSubmissionClient(address)
    except AuthenticationError as error:
        raise UserError(
            f"{address}: refuses the token, or the lack of one (HTTP 401 or 403); set RAY_AUTH_MODE=token, and "
            "RAY_AUTH_TOKEN to the cluster's token or write it to ~/.ray/auth_token"
        ) from error
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise UserError(f"{address}: answers, but not as the dashboard of a Ray head ({_first_line(error)})") from error


def _travelling(config: Path) -> Path:
    try:
        return config.resolve().relative_to(Path.cwd().resolve())
    except ValueError as error:
        raise UserError(f"{config}: lies outside {Path.cwd()}, and only that folder is sent to the cluster") from error


def _check_places(verb: str, subject: Path, overrides: Sequence[str]) -> None:
    source = subject
    if verb == "tune":  # a search works where the experiment does that it names, and sets no path itself
        source, overrides = subject.parent / str(settings.read(subject, overrides).get("base", "")), ()
    config = settings.load(source, overrides)
    given = dict(settings.leaves(settings.read(source, overrides)))
    relative = [key for key in PLACES[verb] if _is_relative(attrgetter(key)(config)) or _is_home(given, key)]
    if relative:
        sets = [f"--set {key}=/shared/{key.rpartition('.')[2]}" for key in relative]
        remedy = "change that file" if verb == "tune" or "train.mixture" in relative else " ".join(sets)
        raise UserError(
            f"{source}: {' and '.join(relative)} must be absolute, on a disk that the cluster's nodes share, because a "
            f"job's working directory is temporary and takes no data along: {remedy}"
        )


def _is_relative(value: Path | tuple[str | Ingredient, ...] | None) -> bool:
    given = [place for place in (value if isinstance(value, tuple) else (value,)) if place is not None]
    places = [str(place.data if isinstance(place, Ingredient) else place) for place in given]
    # A colon before the first slash makes a URL of it: https://host/name, user@host:name.
    return any(not place.startswith("/") and ":" not in place.split("/")[0] for place in places)


def _is_home(given: Mapping[str, Any], key: str) -> bool:
    """Whether a setting names a home folder, which is another on the cluster."""
    return any(f"{name}.".startswith(f"{key}.") and '"~' in json.dumps(value) for name, value in given.items())


def _check_answers(address: str) -> None:
    """The client itself would wait without end."""
    try:
        urlopen(f"{address}/api/version", timeout=ANSWER_SECONDS).close()
    except HTTPError:
        return  # an answer, if only that it wants a token
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", type(error).__name__)  # what is not HTTP may hold any bytes: do not print it
        raise UserError(f"{address}: no head answers there ({reason})") from error


def _ended(client: JobSubmissionClient, job: str) -> JobDetails:
    """Print the log of the job until it ends; return what became of it."""
    further = f"--address {client.get_address()} {job}"
    follow, stop = f"ray job logs --follow {further}", f"ray job stop {further}"
    try:
        asyncio.run(_print_log(client, job))
        info = client.get_job_info(job)
    except KeyboardInterrupt:
        console.print(f"\n{job} goes on; to follow it: {follow}; to stop it: {stop}")
        raise
    except (OSError, RuntimeError, aiohttp.ClientError) as error:
        raise UserError(f"{job}: lost from sight ({_first_line(error)}); to follow it: {follow}") from error
    if not info.status.is_terminal():
        raise UserError(f"{job}: goes on, but its log ended; to follow it: {follow}")
    return info


async def _print_log(client: JobSubmissionClient, job: str) -> None:
    async for lines in client.tail_job_logs(job):
        print(lines, end="", flush=True)


def _exit_code(info: JobDetails) -> int:
    job, code = info.submission_id, info.driver_exit_code
    if info.status == JobStatus.SUCCEEDED:
        console.print(f"{job} succeeded")
        return 0
    if info.status == JobStatus.STOPPED:
        console.print(f"{job} was stopped")
        return 1
    console.print(f"{job} failed: {info.message}" if code is None else f"{job} failed with exit code {code}")
    return 2 if code == 2 else 1


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
