"""Pull requests of GitHub, or of an Enterprise server, over its REST and GraphQL interfaces.

githubkit is the client: it reports each kind of failure as a type, lets its own waiting be switched off, which
PyGithub's lazy objects do not, and brings models of every REST answer, generated from GitHub's own description, against
which the tests check the server that they talk to. What we read is held in small models of our own (`answers.py`,
`nodes.py`), because an Enterprise server may be older than that description.

How one pull request is read: `pulls.py` lists twenty at a time with all they say of themselves, `changes.py` asks for
what changed, `contents.py` for the files of several at once; `collector.py` keeps the order, `journal.py` what is done,
and `rules.py` says after which answer to wait, to ask again or to give up. What cannot be read costs one pull request
of one run: it is counted, named, and asked for again by the next.
"""
