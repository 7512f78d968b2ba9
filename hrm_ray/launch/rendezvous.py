"""The store through which ranks find each other: it listens at the address of rank 0, torch's own on all interfaces."""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass
from typing import Any

from ray.train.torch import TorchConfig
from ray.train.torch.config import _TorchBackend
from torch.distributed.distributed_c10d import Store
from torch.distributed.rendezvous import TCPStore  # type: ignore[attr-defined]


@dataclass
class RendezvousConfig(TorchConfig):  # type: ignore[misc]
    """Ray's settings of a process group, whose store listens on the address of its rank 0 alone."""

    @property
    def backend_cls(self) -> type[RendezvousBackend]:
        """Return the class that makes the process group."""
        return RendezvousBackend


class RendezvousBackend(_TorchBackend):  # type: ignore[misc]
    """Ray's maker of process groups, which runs in the controller of the workers."""

    def on_start(self, worker_group: Any, backend_config: RendezvousConfig) -> None:  # noqa: ANN401 - Ray's
        """Make the process group."""
        worker_group.execute(bind_stores)
        super().on_start(worker_group, backend_config)


def bind_stores() -> None:
    """Have torch make its stores with `bound_store` in this process."""
    sys.modules["torch.distributed.rendezvous"].__dict__["TCPStore"] = bound_store  # the name is that of a function too


def bound_store(*, host_name: str, port: int, is_master: bool, **options: Any) -> Store:  # noqa: ANN401 - torch's
    """Return a TCPStore; the one that others connect to listens on `host_name` alone."""
    if is_master:
        family = socket.getaddrinfo(host_name, port, type=socket.SOCK_STREAM)[0][0]
        options["master_listen_fd"] = socket.create_server((host_name, port), family=family).detach()
    return TCPStore(host_name=host_name, port=port, is_master=is_master, **options)
