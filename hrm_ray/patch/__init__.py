"""From a problem in words and the user's own working tree to a patch."""
