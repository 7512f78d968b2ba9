"""The name of a repository, as its remote, its module or its folder gives it."""

from __future__ import annotations

import os
import re
from urllib.parse import unquote

_MODULE = re.compile(r"^module[ \t]+\"?([\w-]+(?:\.[\w-]+)+/[\w./-]*?)(?:/v\d+)?\"?[ \t]*\r?$", re.MULTILINE)
_REMOTE = re.compile(
    r"(?!file:)(?:(?P<protocol>[\w+.-]+)://)?(?:[^/]*@)?(?P<host>\[[^\]]*\]|[^/:]+)(?::\d+(?=/))?(?:[:/](?P<path>.*))?"
)
_AZURE = ("dev.azure.com", "visualstudio.com")
_OWN = frozenset(("_git", "_ssh", "_full", "_optimized", "defaultcollection", "tfs"))
"""Parts that Azure has in its addresses."""
_ROOTS = frozenset(
    ["bitbucket", "cgit", "forgejo", "gerrit", "git", "gitea", "gitlab", "gogs", "scm", "stash", "a", "r"]
)
"""Where a server keeps its forge, below its host."""
_DISKS = frozenset(["srv", "home", "var", "opt", "mnt", "usr", "data", "root", "Users", "volume1"])


def full_name(remote: str) -> str:
    """`owner/name`, with all groups of a remote (`group/subgroup/name`); Azure's is `organization/project/name`."""
    found = None if remote.startswith((".", "/", "~")) else _REMOTE.fullmatch(remote)
    if found is None or (not found["protocol"] and not _is_scp(remote)):
        return "/".join(parts(remote)[-2:])
    host, below = found["host"], [unquote(part) for part in parts(found["path"] or "")]
    if host.endswith(_AZURE) or "_git" in below:
        return "/".join(_azure(host, below))
    if below[:1] and below[0] in _DISKS:
        return "/".join(below[-2:])
    while len(below) > 2 and below[0].lower() in _ROOTS:
        del below[0]
    return "/".join(below if len(below) > 1 else [host, *below])


def module_name(go_mod: str) -> str:
    """The end of the path by which others import a module, empty where that has no host."""
    found = _MODULE.search(go_mod)
    return "/".join(parts(found[1])[-2:]) if found else ""


def parts(place: str) -> list[str]:
    """The parts of a path, or the host and path of a URL: without protocol, user, password and `.git`."""
    address = re.sub(r"^(?:[\w+.-]+://)?(?:[^/]*@)?", "", place)
    bare = address.rstrip("/").removesuffix("/.git").removesuffix(".git").replace(":", "/")
    return [part for part in os.fsencode(bare).decode("utf-8", "replace").split("/") if part.strip(".")]


def _is_scp(remote: str) -> bool:
    return ":" in remote.split("/")[0]


def _azure(host: str, below: list[str]) -> list[str]:
    """A repository that is called like its project is left out of some of its addresses."""
    organization = [host.split(".")[0]] if host.endswith(".visualstudio.com") and not host.startswith("vs-ssh.") else []
    kept = organization + [part for part in below if part.lower() not in _OWN]
    if host.startswith(("ssh.", "vs-ssh.")) and kept[0] == "v3":
        del kept[0]
    return kept[:-1] if len(kept) > 2 and kept[-1] == kept[-2] else kept
