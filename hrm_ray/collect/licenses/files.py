"""The licence of one file: of its folder, and of what it states itself."""

from __future__ import annotations

from dataclasses import replace

from hrm_ray.collect.licenses.allowed import check_license
from hrm_ray.collect.licenses.expressions import joined
from hrm_ray.collect.licenses.headers import stated
from hrm_ray.collect.records import ChangedFile
from hrm_ray.config import Clean


def own_license(folder: str, repository: str, settings: Clean, *sources: str) -> str:
    """Return the licence of a Go file where it is not the repository's; else empty.

    `folder` is that of its folder, empty where that has none of its own; `sources` are the file's sides.

    Raises:
        Dropped: the licence is not allowed, or a source states one that is not understood.
    """
    license_ = joined(folder, *(stated(source, folder or repository) for source in sources))
    if license_:
        check_license(license_, settings, "file")
    return license_


def licensed(file: ChangedFile, folder: str, repository: str, settings: Clean) -> ChangedFile:
    """Return a file with the licence that is its own; Dropped as of `own_license`."""
    return replace(file, license=own_license(folder, repository, settings, file.content_before, file.content_after))
