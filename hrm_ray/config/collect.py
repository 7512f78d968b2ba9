"""Settings of `collect`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hrm_ray.config.section import Count, Section


class Filters(Section):
    """Which pull requests of a history are kept; bots, vendored, test-data and generated files are always left out."""

    go_files: tuple[Count, Count] = (1, 20)
    """Fewest and most changed Go files."""
    added_lines: tuple[Annotated[int, Field(ge=0)], Count] = (1, 2000)
    """Fewest and most added lines of these files together."""

    @model_validator(mode="after")
    def _are_ranges(self) -> Self:
        for name, (least, most) in (("go_files", self.go_files), ("added_lines", self.added_lines)):
            if least > most:
                raise ValueError(f"{name} [{least}, {most}] leaves nothing: the first number exceeds the second")
        return self


class Collect(Section):
    """What `collect` gathers: pull requests that it makes up, or those and the documented functions of clones.

    `synthetic` makes `pull_requests` of them in each of `repositories`; `history` takes the newest `pull_requests` of
    each of `clones`; `functions` takes every documented function of their newest trees.
    """

    source: Literal["synthetic", "history", "functions"] = "synthetic"
    repositories: Count = 10
    pull_requests: Count = 50
    clones: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Folders of git clones, or URLs that git can clone."""
    filters: Filters = Filters()

    @model_validator(mode="after")
    def _names_its_source(self) -> Self:
        if self.source != "synthetic" and not self.clones:
            raise ValueError(f"source {self.source} needs clones: the folders or URLs of git repositories")
        if self.source == "synthetic" and self.clones:
            raise ValueError("clones are given but source is synthetic, which reads none; set source: history")
        if len(set(self.clones)) < len(self.clones):
            raise ValueError("a clone is listed twice")
        return self
