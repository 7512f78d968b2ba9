"""Settings of `collect`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, model_validator

from hrm_ray.config.section import Count, Section, Whole
from hrm_ray.paths import is_address, local

_CREDENTIALS = re.compile(r"://[^/]*:[^/]*@|(?<!ssh)://[^/]*@|https?://[^?]*\?", re.IGNORECASE)
"""A password, a user of anything but ssh - a token may stand alone there - or a query."""


def _place(given: Any) -> Any:  # noqa: ANN401 - whatever YAML can hold
    return str(local(given)) if isinstance(given, str) and not is_address(given) else given


Place = Annotated[str, Field(description="the folder or URL of a clone"), BeforeValidator(_place)]


class Search(Section):
    """Repositories written mostly in Go that GitHub finds; nothing is searched while `stars` is null."""

    stars: tuple[Whole, Count | None] | None = None
    """Fewest and most stars; null as the most is no bound."""
    licenses: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9.+-]+$", description="an SPDX id")], ...] = ()
    """SPDX ids to search for; where none is given, those of `clean.licenses`."""

    @model_validator(mode="after")
    def _is_a_search(self) -> Self:
        if self.licenses and self.stars is None:
            raise ValueError("licenses are given but stars is not, so nothing is searched; give the fewest stars")
        if self.stars and self.stars[1] is not None and self.stars[0] > self.stars[1]:
            raise ValueError(f"stars {list(self.stars)} finds nothing: the first number exceeds the second")
        return self


class GitHub(Section):
    """Where on GitHub pull requests are read: `repositories` in the order given, then those of `organizations`, then
    those that `search` finds, most stars first, until `collect.repositories` are taken.

    The token is found, never written here: GITHUB_TOKEN, or what `gh auth login` stored.
    """

    repositories: tuple[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w-]*/[\w.-]+$", description="owner/name")], ...
    ] = ()
    """`owner/name`; one that is listed is read though it may be a fork or archived."""
    organizations: tuple[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w-]*$", description="the name of one on GitHub")], ...
    ] = ()
    """Organisations or users; of each, the repositories written mostly in Go."""
    search: Search = Search()
    forks: bool = False
    """Whether forks are read too."""
    archived: bool = False
    """Whether archived repositories are read too."""
    comments: bool = False
    """Whether review and issue comments are kept; they describe the change, so they never join the problem."""
    api: Annotated[str, Field(min_length=1, description="an address such as https://HOST/api/v3")] = (
        "https://api.github.com"
    )
    """GitHub's address; that of an Enterprise server is https://HOST/api/v3."""

    @model_validator(mode="before")
    @classmethod
    def _holds_no_token(cls, given: Any) -> Any:  # noqa: ANN401 - whatever YAML can hold
        if isinstance(given, dict) and {"token", "GITHUB_TOKEN"} & given.keys():
            raise ValueError("a token is never read from settings; set GITHUB_TOKEN, or run `gh auth login`")
        return given

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        for what in ("repositories", "organizations"):
            names = [name.lower() for name in getattr(self, what)]
            if len(set(names)) < len(names):
                raise ValueError(f"{what} lists one twice")
        return self

    @model_validator(mode="after")
    def _has_a_safe_address(self) -> Self:
        address = urlsplit(self.api)
        if "@" in address.netloc or address.query:
            raise ValueError("api holds more than an address; a user, password or token has no place in settings")
        if address.hostname in (None, "github.com", "www.github.com"):
            raise ValueError(
                f"api {self.api} is not GitHub's API; that is https://api.github.com or https://HOST/api/v3"
            )
        if address.scheme != "https" and address.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError(f"api {self.api} would be sent the token unencrypted; use https")
        return self

    @property
    def is_named(self) -> bool:
        """Whether it says which repositories to read."""
        return bool(self.repositories or self.organizations or self.search.stars)


class Collect(Section):
    """What `collect` gathers: pull requests that it makes up, or those and the documented functions of clones.

    `synthetic` makes `pull_requests` of them in each of `repositories`; `history` takes the newest `pull_requests` of
    each of `clones`, `commits` their newest commits as if each were one, `github` those of at most `repositories` that
    `github` names; `functions` takes every documented function of the clones' newest trees.
    """

    source: Literal["synthetic", "history", "commits", "github", "functions"] = "synthetic"
    repositories: Count = 10
    pull_requests: Count = 50
    clones: tuple[Place, ...] = ()
    """Folders of git clones, or URLs that git can clone; they are written to run folders, so they hold no password."""
    github: GitHub = GitHub()

    @model_validator(mode="after")
    def _holds_no_password(self) -> Self:
        for index, clone in enumerate(self.clones):
            if _CREDENTIALS.search(clone):
                more = "a user, password or token has no place in settings"
                raise ValueError(
                    f"clones.{index} holds more than an address; {more}: "
                    "leave it to a git credential helper (`git help credentials`), or use ssh"
                )
        return self

    @model_validator(mode="after")
    def _names_its_source(self) -> Self:
        if self.source in ("history", "commits", "functions") and not self.clones:
            raise ValueError(f"source {self.source} needs clones: the folders or URLs of git repositories")
        if self.source in ("synthetic", "github") and self.clones:
            raise ValueError(f"clones are given but source is {self.source}, which reads none; set source: history")
        if len(set(self.clones)) < len(self.clones):
            raise ValueError("a clone is listed twice")
        return self

    @model_validator(mode="after")
    def _names_what_github_has(self) -> Self:
        if self.source == "github" and not self.github.is_named:
            raise ValueError("source github needs github.repositories, github.organizations or github.search.stars")
        if self.source != "github" and self.github.is_named:
            raise ValueError(f"github names repositories but source is {self.source}; set source: github")
        if len(self.github.repositories) > self.repositories:
            listed = f"github.repositories lists {len(self.github.repositories)}"
            raise ValueError(f"{listed}, and at most {self.repositories} are taken; raise repositories")
        return self
