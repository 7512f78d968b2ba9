"""The outside world to `PullRequest` records."""
