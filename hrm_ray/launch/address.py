"""The head that RAY_ADDRESS names: read, and asked before anything joins it, as Ray itself would try for minutes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import grpc
from ray._private import ray_constants, services
from ray._private.grpc_utils import init_grpc_channel
from ray.core.generated.gcs_service_pb2 import CheckAliveRequest
from ray.core.generated.gcs_service_pb2_grpc import NodeInfoGcsServiceStub
from ray.exceptions import AuthenticationError

from hrm_ray.errors import UserError
from hrm_ray.launch.authentication import Mode, authentication, refuses_tokens
from hrm_ray.launch.environment import environment

VARIABLE = "RAY_ADDRESS"

ANSWER_SECONDS = 10.0
"""How long the head of a cluster may take to answer."""

DIRECT = (("grpc.enable_http_proxy", 0),)
"""Ray's own connections pass by an http_proxy."""


def joins_cluster() -> bool:
    """Return True if RAY_ADDRESS names a cluster; without one, or with `local`, Ray is private to this process."""
    return _given() not in ("", "local")


def head() -> str:
    """Return HOST:PORT of the head that RAY_ADDRESS names, which may be `auto`: the one that runs on this machine.

    Raises:
        UserError: it names none.
    """
    given = _given()
    if given == "auto":
        return _running_here()
    if "://" in given:
        raise UserError(
            f"{VARIABLE} {given}: is a URL, and only HOST:PORT of the head can be joined (`hrm-ray submit` takes "
            f"http://HEAD:8265); unset {VARIABLE} to work on this machine"
        )
    try:
        parts = urlsplit(f"//{given}")
        complete = parts.hostname and parts.port and parts.netloc == given and "@" not in given
    except ValueError:
        complete = False
    if not complete:
        raise UserError(
            f"{VARIABLE} {given}: is not HOST:PORT of a head, such as {given.partition(':')[0]}:6379; unset it to work "
            "on this machine"
        )
    return given


def wanted_mode(address: str) -> Mode:
    """Ask the head at `address` whether its cluster wants a token, and return the mode of its drivers.

    Raises:
        UserError: no head answers there, or it wants a token and does not get the right one.
    """
    with authentication("disabled"):
        if _lets_in(address):
            return "disabled"
    if refuses_tokens():
        raise UserError(f"{VARIABLE} {address}: wants a token, and RAY_AUTH_MODE=disabled keeps it back; unset that")
    with authentication("token"):
        try:
            if _lets_in(address):
                return "token"
        except AuthenticationError as error:
            reason = str(error).partition(". ")[0]
            raise UserError(
                f"{VARIABLE} {address}: wants a token ({reason}); set RAY_AUTH_TOKEN or write it to ~/.ray/auth_token"
            ) from error
    raise UserError(
        f"{VARIABLE} {address}: refuses the token of RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token, the "
        "first of these that is set"
    )


def found(address: str) -> tuple[str, bool]:
    """Return where the head at `address` answers, and True if that is the loopback alone.

    Ray takes an address of the loopback for one that other machines reach, where a head may not listen.
    """
    outer = services.canonicalize_bootstrap_address(address)
    if outer == address or _answers(outer):
        return outer, False
    return address, True


@contextmanager
def loopback_only() -> Iterator[None]:
    """Have Ray take 127.0.0.1 as it is for the length of a block: else it becomes an address that others reach."""
    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False  # what its variable would have done before `import ray`
    try:
        with environment({"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}):
            yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def _given() -> str:
    return os.environ.get(VARIABLE, "").strip().rstrip("/")


def _running_here() -> str:
    try:
        with environment({VARIABLE: "auto"}):
            return services.get_ray_address_from_environment("auto", None)  # type: ignore[no-any-return]
    except (ConnectionError, ValueError) as error:
        raise UserError(f"{VARIABLE} auto: no Ray runs on this machine; start one, or unset {VARIABLE}") from error


def _answers(address: str) -> bool:
    try:
        with authentication("disabled"):
            _lets_in(address)
    except UserError:
        return False
    return True


def _lets_in(address: str) -> bool:
    """Return False if the head at `address` wants another token than the one of this mode, or one at all."""
    with init_grpc_channel(address, DIRECT) as channel:
        try:
            NodeInfoGcsServiceStub(channel).CheckAlive(CheckAliveRequest(), timeout=ANSWER_SECONDS)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAUTHENTICATED:
                return False
            raise UserError(f"{VARIABLE} {address}: no Ray answers there ({error.details()})") from error
    return True
