"""What we know of Go, with no model in it."""
