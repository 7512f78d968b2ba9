"""Titles as they stand in etcd, moby, prometheus, containerd, ingress-nginx and grpc-go."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrm_ray.collect import records
from hrm_ray.collect.kinds import kind


@pytest.mark.parametrize(
    "title",
    [
        'Revert "Add limit to page size used by overlay2 driver"',
        "Revert #8101 and #7886 (content-type:x-json-stream/line delimited json)",
        "clientv3: revert the client side change in 14547",
        "fix(parser): revert pr 16041 and 16754",
        "Windows: Revert 27884",
        '[release-3.6] Revert "Reuse events between sync loops"',
        "Partially revert the event discard change in #2748.",
        "Temporarily revert: daemon/command: add support for sd_notify",
        "revert: feat: add F",
        "Revert the last two commits",
        "Reverting #8101",
        "Revert 90ed0cc1234",
        "Reverted changes of the parser",
        "Revert !12",
        "Revert MR !12: Fix it",
        "Revert D1234: Fix it",
        "tools: revert CL 123",
        'Back out "Fix it"',
        "Backed out changeset 90ed0cc1234",
        'Roll back "Fix it"',
        "Automated rollback of changelist 280594395",
    ],
)
def test_reverts(title: str) -> None:
    assert kind(title, "") == "reverts"


@pytest.mark.parametrize(
    "title",
    [
        "[release/1.6 backport] cri: write generated CNI config atomically",
        "[release-3.5]: upgrade gRPC-go to v1.52.0",
        "[3.4]Add a unit tests and missing flags in etcd help.",
        "[28.x backport] vendor: update buildkit",
        "[docker-29.x backport] test-fixes",
        "[cherry pick] Fix auto reload",
        "(#21437) [backport 1.2] Fix it",
        "Automated cherry pick of #11308 on release-3.3",
        "etcdserver: Automated cherry pick of detailed warnings to release-3.1",
        "Cherry pick 21953 to release 3.5",
        "Backport 15656 to release-3.4",
        "1.6 backport fix deadlock",
        "1.x: fix deadlock",
        "backport: fix deadlock",
        "Cherry-pick the fix to release/2.2",
        "Cherry-picked 90ed0cc1234",
        "release-3.2: embed: fix HTTPs + DNS SRV discovery",
        "Fix it (backport #123)",
        "process a record partially synced to disk [backport 3.5]",
        "[release-branch.go1.25] net/http: fix it",
        "[gopls-release-branch.0.16] fix it",
        "[v9.0/forgejo] fix it",
        "Backport !12 to 14.2",
        "Cherry-pick '12-fix' into '14-2-stable'",
        "Merged PR 12: Fix it",
    ],
)
def test_backports(title: str) -> None:
    assert kind(title, "") == "backports"


@pytest.mark.parametrize(
    "title",
    [
        "Prepare release notes for v1.6.0-beta.5",
        "release: prepare 1.0.1",
        "Bump to 0.6.4",
        "Bump version to 0.4.5",
        "version: bump up to 3.2.0+git",
        "Cut v2.22.2",
        "0.14.1",
        "Release 2.33",
        "chore(release): v1.2.3",
        "Merge release branches 2.53, 2.55 and 3.0 into main",
        "Change version to 1.60.0-dev",
        "Update changelog",
        "🎈 prepare for v1.15.0",
    ],
)
def test_releases(title: str) -> None:
    assert kind(title, "") == "releases"


@pytest.mark.parametrize(
    "title",
    [
        "Fix auto reload when a config file with a syntax error is reverted",
        "revert-button: show it",
        "Remove mount spec backport",
        "Fix issue backporting mount spec to pre-1.13 obj",
        "Add version to extension list command",
        "Add release edit command",
        "Bump API version to 1.39",
        "Bump golang 1.12.8 (CVE-2019-9512, CVE-2019-9514)",
        "build(deps): bump github.com/containerd/continuity from 0.4.3 to 0.4.4",
        "Prepare for google.golang.org/protobuf",
        "daemon: release sandbox even when NetworkDisabled",
        "[codespaces]: add hidden select command",
        "[#1755] SSH key management",
        "[2024-11-25] Manual Dependency Bump",
        "Add version",
        "Update",
        "Support TLS 1.3",
        "Revert to default on empty input",
        "Reverting a transaction leaves locks",
        "Revert a failed migration",
        "db: roll back migrations",
        "Roll back the transaction on error",
        "parser: back out of the loop",
        "store: revert on timeout",
        "Backport queue: add metrics",
        "Cherry-pick selection in list view",
        "1.18: support generics",
        "Prepare docs for CI",
        "Add 1.21 to CI",
        "ci: add 1.21",
        "Build on 1.21",
        "",
    ],
)
def test_other_changes(title: str) -> None:
    assert kind(title, "") == ""


@pytest.mark.parametrize(
    ("body", "branch", "expected"),
    [
        ("This reverts commit 90ed0cc1234.", "", "reverts"),
        ("Reverts grpc/grpc-go#1234", "", "reverts"),
        ("This reverts merge request g/p!12", "", "reverts"),
        ("Reverts !12", "", "reverts"),
        ("This reverts CL 123.", "", "reverts"),
        ("This reverts D1234", "", "reverts"),
        ("This reverts change I90ed0cc1234", "", "reverts"),
        ("Original commit changeset: 90ed0cc1234", "", "reverts"),
        ("This reverts three changes", "", ""),
        ("", "revert-90ed0cc1", "reverts"),
        ("", "revert-pr-12", "reverts"),
        ("Backport #12 by @user", "", "backports"),
        ("This is an automated cherry-pick of #12", "", "backports"),
        ("Backports are next", "", ""),
        ("* Fix\n\nThis reverts commit 90ed0cc1234.", "", ""),  # one of several steps
        ("", "revert-14975-process", "reverts"),
        ("", "revert-shim", ""),
        ("", "cherry-pick-12529-to-release/2.2", "backports"),
        ("", "automated-cherry-pick-of-#11308-upstream", "backports"),
        ("", "mergify/bp/release/1.2/pr-4", "backports"),
        ("", "25.0_backport_fix_gateway_ip", "backports"),
        ("", "fix-backports", ""),
    ],
)
def test_bodies_and_branches_tell_too(body: str, branch: str, expected: str) -> None:
    assert kind("Change it", body, branch) == expected


@pytest.mark.timeout(60)
@pytest.mark.parametrize("title", ["1" * 200_000, "[a" * 100_000, "1." * 100_000, "a " * 100_000, "[1.2]" * 50_000])
def test_no_title_takes_quadratic_time(title: str) -> None:
    """With 200,000 characters that is minutes."""
    assert kind(title, title, title) in {"", "backports", "releases"}


def test_the_real_data_has_hardly_any(shared_data: Path) -> None:
    """They were left out of it: what is found now would be found wrongly."""
    found = [each.pull_request for each in records.read(shared_data / "go_prs_train.parquet")]
    assert {each.title for each in found if kind(each.title, each.body)} == {
        "Partial revert of 4d2c4af 'Improve template mechanism'",
        "🎈 prepare for v1.15.0",
    }
