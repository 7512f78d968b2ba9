"""Made-up pull requests on made-up Go packages, so that the whole line runs without network and without anyone's code.

`vocabulary` and `grammar` choose words and typed expressions; `bodies_*`, `drafts`, `tables` and `packages` write
declarations from them; `tree` and `layout` read, splice and tidy sources; `edits*` change parsed packages and `wording`
says what was changed; `requests` strings edits together into the history of a repository.
"""

from hrm_ray.collect.synthetic.requests import pull_requests

__all__ = ["pull_requests"]
