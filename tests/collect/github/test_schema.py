"""What the small GitHub knows of GraphQL is a part of GitHub's published schema, and our queries fit all of that.

No package of Python brings that schema. To check, download `schema.docs.graphql` from GitHub's documentation and name
it in HRM_RAY_GITHUB_SCHEMA.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, build_schema, parse, validate

from tests.collect.github import graph
from tests.collect.github.conftest import Configure, filled, run
from tests.collect.github.server import SmallGitHub


@pytest.fixture
def published() -> GraphQLSchema:
    place = os.environ.get("HRM_RAY_GITHUB_SCHEMA", "")
    if not place:
        pytest.skip("HRM_RAY_GITHUB_SCHEMA does not name GitHub's published schema")
    return build_schema(Path(place).read_text("utf-8"), assume_valid=True)  # it defines a field twice


def test_every_type_field_and_argument_is_githubs(published: GraphQLSchema) -> None:
    for name, ours in graph.SCHEMA.type_map.items():
        theirs = published.type_map[name]
        assert type(ours) is type(theirs), name
        if not isinstance(ours, GraphQLObjectType) or name.startswith("__"):
            continue
        assert isinstance(theirs, GraphQLObjectType)
        for key, field in ours.fields.items():
            assert str(field.type) == str(theirs.fields[key].type), (name, key)
            for argument, given in field.args.items():
                assert str(given.type) == str(theirs.fields[key].args[argument].type), (name, key, argument)


def test_every_query_is_valid(published: GraphQLSchema, github: SmallGitHub, configure: Configure) -> None:
    filled(github, "o/one", 1)
    run(configure(repositories=["o/one"], comments=True), github)
    assert len(github.queries) == 2
    for query in github.queries:
        assert not validate(published, parse(query))
