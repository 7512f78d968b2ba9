"""`PullRequest` records to examples, to token shards."""
