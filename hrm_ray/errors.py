"""Errors that the user can mend: the command line prints one sentence and exits with its code."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space, and the same command continues",
    errno.EDQUOT: "the disk quota is used up; free some space, and the same command continues",
    errno.EFBIG: "the file is larger than this process may write (`ulimit -f`)",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "this user has no right to do that",
    errno.EPERM: "this user has no right to do that",
    errno.ENOTDIR: "a part of this path is a file, not a folder",
    errno.EISDIR: "is a folder, not a file",
    errno.EEXIST: "is there already, and is not a folder",
    errno.ENAMETOOLONG: "a name in this path is too long",
    errno.ELOOP: "its symbolic links lead in a circle",
    errno.EIO: "the disk reports an error",
}
"""What a disk or its rights refuse. A missing file is not among them: it may as well be a fault of the program."""

_OS_ERROR = re.compile(r"\(os error (\d+)\)")
"""Rust's form, which safetensors and tokenizers put into errors that are no OSError."""


class UserError(Exception):
    """One clear sentence that names the file, record or key."""

    exit_code = 2


class ConfigError(UserError):
    """A setting that cannot be used."""


class UnusableError(UserError):
    """Nothing that a model wrote can be used; the request itself was sound."""

    exit_code = 3


class DiskError(UserError):
    """A disk or its rights refuse something; what was finished before is still good."""


class OtherRankError(RuntimeError):
    """Another rank failed; that rank's own error is the one to show."""


@contextmanager
def explained(path: Path | None = None) -> Iterator[None]:
    """Raise a DiskError for what a disk or its rights refuse in the block.

    It names the file that the error names; errors of an open file name none, and then it names `path`.
    """
    try:
        yield
    except Exception as error:
        if sentence := _explanation(error, path):
            raise DiskError(sentence) from error
        raise


def _explanation(error: Exception, path: Path | None) -> str | None:
    if isinstance(error, OSError):
        number, name = error.errno, error.filename or path
    else:
        match = _OS_ERROR.search(str(error))
        number, name = int(match[1]) if match else None, path
    if isinstance(error, FileNotFoundError) and name is None:  # only the library that makes temporary files names none
        return f"{error.strerror}; name a folder that can be written in the environment's TMPDIR"
    reason = _REASONS.get(number or 0)
    return reason and f"{name or 'a file cannot be read or written'}: {reason}"
