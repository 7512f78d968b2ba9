"""What a user asks for: on the command line, or as a line of a file of problems."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from hrm_ray.config import Section
from hrm_ray.config.section import LocalPath


@dataclass(frozen=True)
class Problem:
    """What a pull request would say; a body may be empty."""

    title: str
    body: str = ""


class Request(Section):
    """A problem and, where `file` is given, the one place at which it is to be solved."""

    title: Annotated[str, Field(pattern=r"\S", description="a text that is not blank")]
    body: Annotated[str, Field(pattern="")] = ""  # with a pattern pydantic refuses what is no Unicode
    repo: LocalPath = Path()
    file: str = ""
    declaration: str = ""
    add: bool = False
    """True to add a declaration: behind `declaration`, or at the end of the file."""

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if not self.file and (self.declaration or self.add):
            raise ValueError("declaration and add say where in a file, so they need file")
        return self

    @property
    def problem(self) -> Problem:
        """The problem alone."""
        return Problem(self.title, self.body)
