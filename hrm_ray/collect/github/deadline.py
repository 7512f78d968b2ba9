"""An end to answers that never end: a timeout begins again with every byte that a server lets trickle.

Headers have no such end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx


class Timed(httpx.SyncByteStream):
    """The body of an answer, which must be whole after so many seconds, counted from now."""

    def __init__(self, stream: httpx.SyncByteStream, seconds: float) -> None:
        self._stream, self._seconds = stream, seconds
        self._end = time.monotonic() + seconds

    def __iter__(self) -> Iterator[bytes]:
        """Yield the parts; ReadTimeout where the time is over before the last one."""
        for part in self._stream:
            if time.monotonic() > self._end:
                raise httpx.ReadTimeout(f"the answer was not whole after {self._seconds:g} s")
            yield part

    def close(self) -> None:
        """Let go of the connection."""
        self._stream.close()
