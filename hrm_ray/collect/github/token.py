"""The token: where it is found, and how it travels without being seen."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import urlsplit

import httpx
from githubkit import BaseAuthStrategy, GitHubCore

from hrm_ray.errors import UserError

PATIENCE = 20
"""Seconds that `gh` gets to answer."""


class Bearer(BaseAuthStrategy, httpx.Auth):
    """Puts the token into the head of each request; neither prints nor pickles with it."""

    def __init__(self, token: str) -> None:
        self._header: Callable[[], str] = lambda: (
            f"Bearer {token}"
        )  # a closure: nothing that shows an object's fields shows this one

    def get_auth_flow(self, github: GitHubCore[Any]) -> httpx.Auth:  # noqa: ARG002 - githubkit asks in this form
        """Return what httpx asks for each request."""
        return self

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the token."""
        request.headers["Authorization"] = self._header()
        yield request

    def __repr__(self) -> str:
        return "Bearer(token hidden)"


def found(api: str) -> Bearer:
    """Return the token from GITHUB_TOKEN, or else the one that `gh` keeps for the server at `api`.

    Raises:
        UserError: there is none. GraphQL, without which a pull request takes many more requests than an anonymous
            caller has, is answered to nobody without one.
    """
    host = urlsplit(api).hostname or ""
    if host == "api.github.com" or host.endswith(".ghe.com"):
        host = host.removeprefix("api.")
    token = os.environ.get("GITHUB_TOKEN", "").strip() or _of_gh(host)
    if not token:
        login = "gh auth login" if host == "github.com" else f"gh auth login --hostname {host}"
        raise UserError(f"{api}: GitHub's GraphQL interface needs a token; set GITHUB_TOKEN, or run `{login}`")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UserError("GITHUB_TOKEN is not a token: it holds blanks or other characters that no token has")
    return Bearer(token)


def _of_gh(host: str) -> str:
    """What gh has stored for a host, empty where gh or the login is missing."""
    command = ["gh", "auth", "token", "--hostname", host]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, text=True)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
