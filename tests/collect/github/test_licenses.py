"""Licences of a repository's text, folders and files, where GitHub's word is about the root alone."""

from __future__ import annotations

import pytest

from hrm_ray.collect import records
from hrm_ray.errors import UserError
from tests.collect.github.conftest import Configure, filled, run
from tests.collect.github.server import SmallGitHub
from tests.collect.github.world import Repo
from tests.collect.licenses.texts import MIT, text
from tests.collect.repository import go

CODE = go("a", "F", "G")
CHANGED = CODE.replace("return 1", "return 2", 1)


def changed(repo: Repo, *paths: str, above: str = "") -> None:
    """Push files, and change them by a pull request."""
    repo.push(dict.fromkeys(paths, above + CODE))
    repo.pull("Change", dict.fromkeys(paths, above + CHANGED))


def test_a_text_that_says_more_than_githubs_word_is_left_out(github: SmallGitHub, configure: Configure) -> None:
    filled(github, "o/one", 1).push({"LICENSE": MIT})
    filled(github, "o/two", 1).push({"LICENSE": f"{MIT}\nNot for AI training."})
    config = configure(repositories=["o/one", "o/two"])
    said = run(config, github)
    assert "left out 1 under license NOASSERTION, which clean.licenses does not allow: o/two" in said
    assert [each.repo.full_name for each in records.read(config.pull_requests)] == ["o/one"]
    own = configure({"repositories": 1}, {"licenses": "any"}, repositories=["o/two"])
    asked = github.count("git/trees")
    with pytest.raises(UserError, match=r"clean\.licenses"):
        run(own, github)  # the journal was begun for others
    assert github.count("git/trees") == asked


def test_the_files_decide_where_github_knows_no_license(github: SmallGitHub, configure: Configure) -> None:
    for name, word in (("o/two", "NOASSERTION"), ("o/gpl", "GPL-3.0")):
        repo = github.world.add(name, license=word)
        repo.push({"LICENSE-MIT": MIT, "LICENSE-APACHE": text("Apache-2.0")})
        changed(repo, "a.go")
    config = configure(repositories=["o/two", "o/gpl"])
    run(config, github)
    (found,) = records.read(config.pull_requests)
    assert (found.repo.full_name, found.repo.license) == ("o/two", "Apache-2.0 AND MIT")


def test_the_files_of_a_folder_are_under_its_licence(github: SmallGitHub, configure: Configure) -> None:
    repo = github.world.add("o/one")
    repo.push({"LICENSE": MIT, "server/LICENSE": text("AGPL-3.0"), "lib/LICENSE": text("ISC"), "docs/LICENSE": "Ours."})
    repo.push({"ee/LICENSE": "../legal/ee.txt", "legal/ee.txt": "Ours.", "tool/COPYING": "../LICENSE"})
    repo.links |= {"ee/LICENSE", "tool/COPYING"}
    changed(repo, "a.go", "server/in/a.go", "lib/a.go", "ee/a.go", "tool/a.go")
    config = configure(repositories=["o/one"])
    said = run(config, github)
    (found,) = records.read(config.pull_requests)
    assert {file.filename: file.license for file in found.files} == {"a.go": "", "lib/a.go": "ISC", "tool/a.go": ""}
    assert "dropped 1: file under AGPL-3.0" in said
    assert "dropped 1: file under no known license" in said
    assert github.count("git/trees") == 1
    assert not github.count("docs/LICENSE")


def test_a_file_moved_out_of_a_folder_keeps_its_licence(github: SmallGitHub, configure: Configure) -> None:
    repo = github.world.add("o/one")
    repo.push({"LICENSE": MIT, "server/LICENSE": text("AGPL-3.0"), "server/a.go": CODE, "server/z.go": CODE})
    repo.pull("Move", {"server/a.go": None, "b.go": CHANGED})
    with pytest.raises(UserError, match="file under AGPL"):
        run(configure(repositories=["o/one"]), github)


def test_a_file_states_its_own_licence(github: SmallGitHub, configure: Configure) -> None:
    repo = github.world.add("o/one")
    changed(repo, "b.go", above="// SPDX-License-Identifier: BUSL-1.1\n\n")
    changed(repo, "c.go", above="// SPDX-License-Identifier: MIT\n\n")
    config = configure(repositories=["o/one"])
    assert "dropped 1: file under BUSL-1.1" in run(config, github)
    (found,) = records.read(config.pull_requests)
    assert [file.filename for file in found.files] == ["c.go"]


def test_a_tree_that_github_lists_in_part_is_not_read(github: SmallGitHub, configure: Configure) -> None:
    filled(github, "o/one", 1).is_vast = True
    with pytest.raises(UserError, match="o/one: GitHub does not list its newest tree whole"):
        run(configure(repositories=["o/one"]), github)
