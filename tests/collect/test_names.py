from __future__ import annotations

import pytest

from hrm_ray.collect.names import full_name


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("https://gitlab.com/g/sub/p.git", "g/sub/p"),
        ("git@gitlab.com:g/sub/sub2/p.git", "g/sub/sub2/p"),
        ("ssh://git@host:2222/g/sub/p.git", "g/sub/p"),
        ("https://oauth2:token@gitlab.com/g/p.git/", "g/p"),
        ("https://user:p@ss@host/o/n", "o/n"),
        ("ssh://git@[::1]:22/o/n.git", "o/n"),
        ("git://host//o//n.git//", "o/n"),
        ("https://org@dev.azure.com/org/project/_git/repo", "org/project/repo"),
        ("https://dev.azure.com/org/My%20Project/_git/repo", "org/My Project/repo"),
        ("https://dev.azure.com/org/_git/repo", "org/repo"),
        ("git@ssh.dev.azure.com:v3/org/project/repo", "org/project/repo"),
        ("git@ssh.dev.azure.com:v3/org/repo/repo", "org/repo"),
        ("ssh://git@ssh.dev.azure.com/v3/org/project/repo", "org/project/repo"),
        ("https://org.visualstudio.com/DefaultCollection/project/_git/repo/", "org/project/repo"),
        ("org@vs-ssh.visualstudio.com:v3/org/project/repo", "org/project/repo"),
        ("https://tfs.corp.example/tfs/DefaultCollection/project/_git/repo", "project/repo"),
        ("https://host/scm/proj/repo.git", "proj/repo"),
        ("https://host/bitbucket/scm/~ann/repo.git", "~ann/repo"),
        ("ssh://git@host:7999/proj/repo.git", "proj/repo"),
        ("https://host.example/gitea/o/n.git", "o/n"),
        ("https://host.example:3000/o/n/", "o/n"),
        ("https://review.example/a/group/name", "group/name"),
        ("https://go.googlesource.com/tools", "go.googlesource.com/tools"),
        ("https://git.sr.ht/~ann/n", "~ann/n"),
        ("git@host:/srv/git/o/n.git", "o/n"),
        ("ssh://git@host/home/git/o/n.git", "o/n"),
        ("file:///srv/git/o/n.git", "o/n"),
        ("/srv/git/o/n.git/", "o/n"),
        ("../o/n", "o/n"),
        ("~/src/o/n", "o/n"),
        ("https://host", "host"),
    ],
)
def test_the_name_of_a_remote(remote: str, name: str) -> None:
    assert full_name(remote) == name
