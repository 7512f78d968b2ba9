"""Ctrl-C and SIGTERM: both raise KeyboardInterrupt, through which every verb cleans up after itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


def interrupt_on_sigterm() -> Callable[[], bool]:
    """Have SIGTERM call the handler of SIGINT; return a function that says whether SIGTERM has come."""
    came = threading.Event()

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.set()
        handler = signal.getsignal(signal.SIGINT)  # not callable where it is ignored, as in a shell's background jobs
        (handler if callable(handler) else signal.default_int_handler)(number, frame)

    signal.signal(signal.SIGTERM, interrupt)
    return came.is_set


@contextmanager
def sigterm_kept() -> Iterator[None]:
    """Put the handler of SIGTERM back after the block: `ray.init` replaces it by one that raises SystemExit."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except SystemExit as error:
        if error.code == signal.SIGTERM and callable(handler):
            handler(signal.SIGTERM, None)
        raise
    finally:
        _put_back(signal.SIGTERM, handler)


@contextmanager
def interruptible() -> Iterator[None]:
    """Have an interrupt raise KeyboardInterrupt: Ray Train exits, and it and Tune never put the handler back."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        if error.code not in (0, 1):  # Train's 0 comes out of `ray.get` as 1
            raise
        raise KeyboardInterrupt from error
    finally:
        _put_back(signal.SIGINT, handler)


def _put_back(number: signal.Signals, handler: signal.Handlers | Callable[..., object] | int | None) -> None:
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(number, handler)
