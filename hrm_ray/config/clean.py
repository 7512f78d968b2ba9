"""Settings of cleaning: which pull requests may be learnt from, wherever they come from."""

from __future__ import annotations

from typing import Literal, Self

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from pydantic import field_validator, model_validator

from hrm_ray.config.section import Count, Section, Whole

PERMISSIVE = (
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unlicense",
    "Zlib",
)
"""Licenses, by SPDX id, that ask for little more than to be kept with the code."""


class Clean(Section):
    """Which pull requests may be learnt from, and which of their files; every refusal is counted by its reason.

    `collect` applies what saves it work and `prepare` all of it, to every record. Vendored, test-data and generated
    files are always left out, and keys, tokens and personal data always replaced.
    """

    licenses: tuple[str, ...] | Literal["any"] = PERMISSIVE
    """SPDX ids that are allowed; what has no known license is then left out. `any` is for code of one's own."""
    leave_out: tuple[Literal["bots", "reverts", "releases", "backports"], ...] = (
        "bots",
        "reverts",
        "releases",
        "backports",
    )
    """Kinds of pull request that teach nothing new."""
    go_files: tuple[Count, Count] = (1, 20)
    """Fewest and most changed Go files."""
    added_lines: tuple[Whole, Count] = (1, 2000)
    """Fewest and most added lines of these files together."""
    largest_file: Count = 1_000_000
    """Bytes of UTF-8; larger Go files are data."""

    @field_validator("licenses", mode="before")
    @classmethod
    def _are_spdx(cls, given: object) -> object:
        if given == "any":
            return given
        if not isinstance(given, list | tuple) or not given:
            raise ValueError("expected a list of SPDX ids such as [MIT, Apache-2.0], or `any`")
        return tuple(_spdx(name) for name in given)

    @model_validator(mode="after")
    def _are_ranges(self) -> Self:
        for name, (least, most) in (("go_files", self.go_files), ("added_lines", self.added_lines)):
            if least > most:
                raise ValueError(f"{name} [{least}, {most}] leaves nothing: the first number exceeds the second")
        return self


def _spdx(name: object) -> str:
    """An id as SPDX spells it."""
    try:
        spelled = str(canonicalize_license_expression(str(name)))
    except InvalidLicenseExpression as error:
        hint = "; what has no known license is allowed by `any` only" if name in ("NOASSERTION", "NONE") else ""
        raise ValueError(f"{name!r} is not an SPDX license id{hint}") from error
    if " " in spelled:
        raise ValueError(f"{name!r} is an expression; list its licenses one by one")
    return spelled
