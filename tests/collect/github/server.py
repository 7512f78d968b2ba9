"""The small GitHub behind a real HTTP server: tokens, limits, ETags, redirects, and faults where a test wants them.

Every REST answer is checked against the type that GitHub's own description (githubkit's models) gives it.
"""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import TypeAdapter

from tests.collect.github import graph, rest
from tests.collect.github.world import World

TOKEN = "ghp_plantedPLANTEDplantedPLANTED0123456789"
PREFIX = "/api/v3/"

Headers = Mapping[str, str | int]
NONE: Headers = {}


@dataclass
class FakeClock:
    """Time that passes only while someone sleeps."""

    time: float = 1_800_000_000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


class Handler(BaseHTTPRequestHandler):
    """One connection; its server is a `SmallGitHub`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer takes 40 ms
    server: _Server

    def do_GET(self) -> None:
        self._serve("")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _serve(self, body: str) -> None:
        github = self.server.github
        name = f"{self.path} {body}"
        github.asked.append(name)
        github.before(name)
        fault = next((fault for fault in github.faults if fault.part in name and fault.times), None)
        if fault:
            fault.times -= 1
            fault.happen(self)
        else:
            github.answer(self, body)

    def reply(self, status: int, text: str, headers: Headers = NONE, length: int = 0) -> None:
        """Send an answer; `length` is what it claims to have, where that is more."""
        content = text.encode()
        self.send_response_only(status)
        now = formatdate(self.server.github.clock.now(), usegmt=True)
        told: Headers = {"Content-Length": max(length, len(content)), "Date": now, **headers}
        for key, value in told.items():
            self.send_header(key, str(value))
        self.end_headers()
        self.wfile.write(content)
        if length:
            self.close_connection = True


@dataclass
class Fault:
    """Happens instead of the answer to the next `times` requests with `part` in their path or body."""

    part: str
    happen: Callable[[Handler], None]
    times: int = 1


def refuse(status: int, message: str = "", headers: Headers = NONE) -> Callable[[Handler], None]:
    """An error of GitHub's own."""
    return lambda handler: handler.reply(status, json.dumps({"message": message, "documentation_url": ""}), headers)


def say(content: str, status: int = 200, length: int = 0) -> Callable[[Handler], None]:
    """Any content, perhaps less of it than is claimed."""
    return lambda handler: handler.reply(status, content, length=length)


def reset(handler: Handler) -> None:
    """Drop the connection in the middle, as a server that dies."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def hold(handler: Handler) -> None:
    """Begin an answer and say no more until the other side is gone."""
    handler.send_response_only(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"{")
    handler.rfile.read(1)
    handler.close_connection = True


def trickle(handler: Handler) -> None:
    """Send an answer a byte at a time, each soon enough, for ever."""
    handler.send_response_only(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    with suppress(OSError):
        while True:
            handler.wfile.write(b" ")
            time.sleep(0.01)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    github: SmallGitHub

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go in the middle are what some tests are about."""


@dataclass
class SmallGitHub:
    """`limit` requests an hour are answered, those that find nothing changed apart."""

    world: World = field(default_factory=World)
    clock: FakeClock = field(default_factory=FakeClock)
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Path and body of every request."""
    queries: list[str] = field(default_factory=list)
    """The text of every GraphQL query that was answered."""
    before: Callable[[str], None] = lambda name: None
    """Called with each request before it is answered."""
    limit: int = 5000
    wrong: list[str] = field(default_factory=list)
    """What was not as it should be: must stay empty."""
    address: str = ""
    _used: int = 0
    _reset: float = 0.0

    @contextmanager
    def running(self) -> Iterator[SmallGitHub]:
        server = _Server(("127.0.0.1", 0), Handler)
        server.github = self
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        self.address = f"http://127.0.0.1:{server.server_port}{PREFIX.rstrip('/')}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def fault(self, part: str, happen: Callable[[Handler], None], times: int = 1) -> None:
        self.faults.append(Fault(part, happen, times))

    def count(self, part: str) -> int:
        """How many requests had this in their path or body."""
        return sum(part in name for name in self.asked)

    def answer(self, handler: Handler, body: str) -> None:
        if handler.headers.get("Authorization") != f"Bearer {TOKEN}":
            return handler.reply(401, json.dumps({"message": "Bad credentials"}))
        address = urlsplit(handler.path)
        if address.path in ("/api/graphql", "/graphql"):
            asked = json.loads(body)
            self.queries.append(asked["query"])
            told = graph.answer(self.world, asked["query"], asked.get("variables", {}))
            return self._limited(handler, "graphql", json.dumps(told))
        path = address.path.removeprefix(PREFIX).removeprefix("/")
        for old, new in self.world.renamed.items():
            if path == f"repos/{old}":
                return handler.reply(301, "{}", {"Location": f"{PREFIX}repos/{new}"})
        return self._rest(handler, path, dict(parse_qsl(address.query)))

    def _rest(self, handler: Handler, path: str, query: dict[str, str]) -> None:
        try:
            found = rest.answer(self.world, path, query)
        except rest.NotThere:
            return refuse(404, "Not Found")(handler)
        text = json.dumps(found.data)
        try:
            TypeAdapter(found.form).validate_json(text)
        except ValueError as error:
            self.wrong.append(f"{path}: {error}")
        etag = f'W/"{hashlib.sha256(text.encode()).hexdigest()}"'
        if handler.headers.get("If-None-Match") == etag:
            return handler.reply(304, "", {"ETag": etag})
        link = {"Link": f'<{self.address}/{path}?page=2>; rel="next"'} if found.more else {}
        resource = "search" if path.startswith("search/") else "core"
        return self._limited(handler, resource, text, {"ETag": etag, **link})

    def _limited(self, handler: Handler, resource: str, text: str, headers: Headers = NONE) -> None:
        now = self.clock.now()
        if now >= self._reset:
            self._used, self._reset = 0, now + 3600
        self._used += 1
        told: Headers = {
            "X-RateLimit-Limit": self.limit, "X-RateLimit-Remaining": max(self.limit - self._used, 0),
            "X-RateLimit-Reset": int(self._reset), "X-RateLimit-Resource": resource,
        }  # fmt: skip
        if self._used > self.limit:
            return handler.reply(403, json.dumps({"message": "API rate limit exceeded for user ID 1."}), told)
        return handler.reply(200, text, {**headers, **told})
