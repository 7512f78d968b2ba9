from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hrm_ray.collect.git import MOST_READ, Differences, Objects, opened, utc
from hrm_ray.errors import UserError
from tests.collect.repository import Repo, git, go

CACHE = Path("nowhere")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.new(tmp_path / "owner" / "name")


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("https://user:secret@host.example/some/thing.git", "some/thing"),
        ("https://token@host.example/thing.git", "host.example/thing"),
        ("git@host.example:some/thing.git", "some/thing"),
        ("ssh://git@host.example:2222/some/thing", "some/thing"),
        ("/a/b/some/thing/", "some/thing"),
        ("", "owner/name"),
    ],
)
def test_a_clone_is_called_after_its_remote_or_its_folder(repo: Repo, remote: str, name: str) -> None:
    if remote:
        repo.git("remote", "add", "origin", remote)
    with opened(str(repo.path), CACHE) as clone:
        assert clone.name == name
        assert clone.head == repo.git("rev-parse", "HEAD")
        assert "secret" not in repr(clone)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("module github.com/some/thing\n", "some/thing"),
        ('// Deprecated.\nmodule "host.example/group/some/thing/v2"\r\n\r\ngo 1.21\r\n', "some/thing"),
        ("module go.example.org/thing\n", "go.example.org/thing"),
        ("module thing\n", "owner/name"),
        ("", "owner/name"),
    ],
)
def test_a_clone_without_a_remote_is_called_as_others_import_it(repo: Repo, module: str, name: str) -> None:
    repo.commit("Name", {"go.mod": module})
    with opened(str(repo.path), CACHE) as clone:
        assert clone.name == name
    repo.git("remote", "add", "origin", "https://host.example/remote/first")
    with opened(str(repo.path), CACHE) as clone:
        assert clone.name == "remote/first"


def test_a_url_is_cloned_bare_once(repo: Repo, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    url = f"file://{repo.path}"
    with opened(url, cache) as clone:
        assert (clone.name, clone.place) == ("owner/name", url)
    made = cache / f"{repo.path.relative_to('/')}.git"
    assert (made / "HEAD").is_file()
    assert [each.name for each in made.parent.iterdir()] == ["name.git"]
    shutil.rmtree(repo.path)
    with opened(url, cache) as clone, Objects(clone) as objects:
        assert objects.read(clone.head) is not None


def rewritten(monkeypatch: pytest.MonkeyPatch, places: dict[str, Path]) -> None:
    """Make git find what stands at each URL in a folder."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(places)))
    for at, (url, folder) in enumerate(places.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{at}", f"url.{folder}.insteadOf")
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{at}", url)


def test_repositories_of_one_name_on_two_hosts_are_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repos = [Repo.new(tmp_path / str(at)) for at in range(2)]
    repos[1].commit("Differ", {"b.go": go("b")})
    urls = ["https://one.example/o/n.git", "https://two.example/o/n.git"]
    rewritten(monkeypatch, {url: repo.path for url, repo in zip(urls, repos, strict=True)})
    for repo, url in zip(repos, urls, strict=True):
        with opened(url, tmp_path / "cache") as clone:
            assert (clone.name, clone.head) == ("o/n", repo.git("rev-parse", "HEAD"))


def test_a_password_is_nowhere_but_in_the_question(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://ann:secret@host.example/o/n.git"
    rewritten(monkeypatch, {url: repo.path})
    for _ in range(2):  # the second time it is found in the cache
        with opened(url, tmp_path / "cache") as clone:
            assert (clone.name, clone.place) == ("o/n", "https://host.example/o/n.git")
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert kept
    assert not any(b"secret" in path.read_bytes() or "secret" in str(path) for path in kept)
    with (
        pytest.raises(UserError, match=r"^https://host\.example/x/y: ") as caught,
        opened("https://ann:secret@host.example/x/y", tmp_path / "cache"),
    ):
        pass
    assert "secret" not in str(caught.value)


@pytest.fixture
def locked() -> Iterator[str]:
    """The address of a server that wants a password for everything."""

    class Locked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Locked) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(0o755)
    return path


def test_nobody_is_asked_for_a_password(locked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "asked"
    window = program(tmp_path / "window", f"open({str(asked)!r}, 'w')")
    monkeypatch.setenv("SSH_ASKPASS", str(window))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("GIT_ASKPASS", raising=False)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    said = r"/o/n: git cannot read it \(fatal: could not read Username"
    with pytest.raises(UserError, match=said), opened(f"{locked}/o/n", tmp_path / "cache"):
        pass
    assert not asked.exists()
    assert not list((tmp_path / "cache").rglob("*.git"))


def test_ssh_has_no_terminal_to_ask_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session of its own has no controlling terminal, which is where ssh would ask."""
    seen = tmp_path / "seen"
    ssh = program(tmp_path / "ssh", f"import os\nopen({str(seen)!r}, 'w').write(str(os.getsid(0)))\nexit(1)")
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    with pytest.raises(UserError, match=r"git@host\.example:o/n: git cannot read it"):
        opened("git@host.example:o/n", tmp_path / "cache").__enter__()
    assert int(seen.read_text()) != os.getsid(0)


def test_a_hook_around_us_does_not_say_where_to_clone(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "elsewhere"))
    with opened(f"file://{repo.path}", tmp_path / "cache") as clone:
        assert clone.head
    assert not (tmp_path / "elsewhere").exists()


def test_without_git_the_sentence_says_so(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"name: reading it needs git, which is not installed"):
        opened(str(repo.path), CACHE).__enter__()


def test_what_is_no_clone_is_named(repo: Repo, tmp_path: Path) -> None:
    inner = repo.path / "plain"
    inner.mkdir()
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "--quiet")
    unborn = Repo.new(tmp_path / "unborn")
    unborn.git("symbolic-ref", "HEAD", "refs/heads/gone")
    for place, said in (
        (str(tmp_path / "none"), "there is no such folder"),
        (str(inner), "not a git repository"),
        (str(empty), "its HEAD names no commit"),
        (str(unborn.path), "its HEAD names no commit"),
        (f"file://{tmp_path}/none", "git cannot read it"),
    ):
        with pytest.raises(UserError, match=said) as caught, opened(place, tmp_path / "cache"):
            pass
        assert str(caught.value).startswith(f"{place}: ")
    assert not list((tmp_path / "cache").rglob("*.git"))


@pytest.mark.parametrize("form", ["work tree", "git folder", "bare", "linked", "submodule", "detached", "symlink"])
def test_every_form_of_a_clone(repo: Repo, tmp_path: Path, form: str) -> None:
    head = repo.commit("Grow (#1)", {"a.go": go("a", "B")})
    place = tmp_path / "other" / "place"
    if form == "bare":
        git(tmp_path, "clone", "--quiet", "--bare", str(repo.path), str(place))
    elif form == "linked":
        repo.git("worktree", "add", "--quiet", "-b", "sand/böx", str(place))
    elif form == "submodule":
        parent = Repo.new(tmp_path / "parent")
        parent.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repo.path), "sub")
        place = parent.path / "sub"
    elif form == "detached":
        place = repo.path
        repo.git("checkout", "--quiet", "--detach", head)
    elif form == "symlink":
        place.parent.mkdir()
        place.symlink_to(repo.path)
    else:
        place = repo.path / ".git" if form == "git folder" else repo.path
    with opened(str(place), CACHE) as clone, Differences(clone, "--name-only") as differences:
        assert clone.head == head
        assert differences.between(repo.git("rev-parse", "HEAD^"), head) == b"a.go\0"
        assert clone.name == ("other/place" if form == "linked" else "owner/name")


@pytest.mark.parametrize("folder", ["new\nline", "a:b", 'it\'s "quoted" $HOME `x`', "\u2028", "-dash", "ünï"])
def test_any_path(tmp_path: Path, folder: str) -> None:
    repo = Repo.new(tmp_path / folder / "name")
    with opened(str(repo.path), CACHE) as clone, Objects(clone) as objects:
        assert objects.read(f"{clone.head}:go.mod") == b"module m\n"
    (repo.path / "plain").mkdir()
    with pytest.raises(UserError, match="not a git repository"):
        opened(str(repo.path / "plain"), CACHE).__enter__()


def test_a_folder_whose_name_is_not_utf8(tmp_path: Path) -> None:
    repo = Repo.new(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff/name")))
    (tmp_path / "link").symlink_to(repo.path)
    with opened(str(tmp_path / "link"), CACHE) as clone:
        assert clone.name == "\ufffd/name"


def test_a_folder_below_the_home_folder(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(repo.path.parent))
    with opened("~/name", CACHE) as clone:
        assert (clone.name, clone.place) == ("owner/name", "~/name")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_clone_of_another_owner(repo: Repo) -> None:
    for path in (repo.path, *repo.path.rglob("*")):
        os.chown(path, 12345, 12345)
    with opened(str(repo.path), CACHE) as clone, Objects(clone) as objects:
        assert objects.read(clone.head)


def test_a_bare_clone_where_the_user_forbids_to_find_them(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(repo.path), "bare")
    (tmp_path / ".gitconfig").write_text("[safe]\n\tbareRepository = explicit\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with opened(str(tmp_path / "bare"), CACHE) as clone:
        assert clone.head == repo.git("rev-parse", "HEAD")


def test_objects_in_any_order_and_missing_ones(repo: Repo) -> None:
    repo.commit("Data", {"data": b"\0\n\xff", "empty": b""})
    with opened(str(repo.path), CACHE) as clone, Objects(clone) as objects:
        data, empty = (repo.git("rev-parse", f"HEAD:{name}") for name in ("data", "empty"))
        assert [objects.read(oid) for oid in (data, "1" * 40, empty, data)] == [b"\0\n\xff", None, b"", b"\0\n\xff"]


def test_only_the_beginning_of_a_huge_object_is_held(repo: Repo) -> None:
    repo.commit("Data", {"huge": b"x" * (2 * MOST_READ + 5), "small": b"y"})
    with opened(str(repo.path), CACHE) as clone, Objects(clone) as objects:
        huge, small = (objects.read(f"{clone.head}:{name}") for name in ("huge", "small"))
        assert (huge, small) == (b"x" * MOST_READ, b"y")


def test_a_process_that_dies_is_a_user_error(repo: Repo) -> None:
    repo.commit("Grow", {"x/a.go": go("a", "B")})
    head, tree = repo.git("rev-parse", "HEAD"), repo.git("rev-parse", "HEAD:x")
    (repo.path / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with opened(str(repo.path), CACHE) as clone, Differences(clone, "--raw") as differences:
        assert differences.between(head, head) == b""
        for _ in range(2):
            with pytest.raises(UserError, match=rf"name: git cannot read it \(.*{tree}"):
                differences.between(repo.git("rev-parse", "HEAD^"), head)


def test_a_repository_with_sha256_ids(tmp_path: Path) -> None:
    folder = tmp_path / "o" / "n"
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--object-format=sha256")
    repo = Repo(folder)
    base = repo.commit("Begin", {"a.go": go("a")})
    head = repo.commit("Grow", {"a.go": go("a", "B")})
    with opened(str(folder), CACHE) as clone, Differences(clone, "--name-only") as differences:
        assert (len(head), differences.between(base, head)) == (64, b"a.go\0")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1970-01-01T00:00:00Z"), (-5, "1970-01-01T00:00:00Z"), (10**18, "9999-12-31T23:59:59Z")],
)
def test_impossible_times_are_brought_back(seconds: int, text: str) -> None:
    assert utc(seconds) == text
