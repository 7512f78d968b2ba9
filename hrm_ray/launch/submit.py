"""`hrm-ray submit`: the working directory as a job of a Ray cluster, followed here to its end.

What travels is the working directory without what `cluster/runtime_env.yaml` excludes and git ignores: neither data nor
runs. They stay on a disk that the cluster's nodes share, so their paths must be absolute. The token of the cluster goes
into the headers of the requests (Ray reads it from RAY_AUTH_TOKEN or ~/.ray/auth_token) if the head asks for one, and
nowhere else.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import getproxies, urlopen

import aiohttp
from ray.exceptions import AuthenticationError
from ray.job_submission import JobDetails, JobStatus, JobSubmissionClient

from hrm_ray.errors import UserError
from hrm_ray.launch.authentication import Mode, authentication, refuses_tokens
from hrm_ray.launch.job import RUNTIME_ENV, entrypoint, runtime_env
from hrm_ray.progress import console

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
    console.print(f"packing {Path.cwd()} for {head}, without what git ignores and {RUNTIME_ENV} excludes")
    try:
        job = client.submit_job(entrypoint=command, runtime_env=environment)
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(f"{head}: did not take the job ({_first_line(error)})") from error
    console.print(f"{head} runs {job}: {command}")
    return _exit_code(_ended(client, job))


def connect(address: str | None) -> JobSubmissionClient:
    """Return a client of the head whose dashboard is at `address`, else at RAY_ADDRESS.

    Raises:
        UserError: there is no address, no answer from it within 30 s, no Ray behind it, or it refuses the token.
    """
    address = (address or os.environ.get("RAY_ADDRESS", "")).strip().rstrip("/")
    if not address.startswith(("http://", "https://")):
        given = f"{address}: not the address of a dashboard" if address else "no cluster is named"
        raise UserError(f"{given}; give --address http://HEAD:8265, or set RAY_ADDRESS to it")
    os.environ["no_proxy"] = "*"  # a job's log does not come through a proxy, so that nothing else needs to
    mode: Mode = "token" if _wants_token(address) and not refuses_tokens() else "disabled"
    os.environ["RAY_API_SERVER_ADDRESS"] = address  # RAY_ADDRESS would beat the argument, and this beats both
    try:
        with authentication(mode):
            return JobSubmissionClient(address)
    except AuthenticationError as error:
        raise UserError(
            f"{address}: refuses the token, or the lack of one (HTTP 401 or 403); set RAY_AUTH_TOKEN to the cluster's "
            "token or write it to ~/.ray/auth_token, and unset RAY_AUTH_MODE where it is disabled"
        ) from error
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise UserError(f"{address}: answers, but not as the dashboard of a Ray head ({_first_line(error)})") from error


def _wants_token(address: str) -> bool:
    """Ask the head itself, as the client would wait without end for an answer."""
    try:
        urlopen(f"{address}/api/version", timeout=ANSWER_SECONDS).close()
    except HTTPError as error:
        return error.code in (401, 403)
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", type(error).__name__)  # what is not HTTP may hold any bytes: do not print it
        passed = (
            "; it must be reached directly, not through a proxy" if urlsplit(address).scheme in getproxies() else ""
        )
        raise UserError(f"{address}: no head answers there ({reason}){passed}") from error
    return False


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
