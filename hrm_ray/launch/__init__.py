"""Ray at the edge: sessions, and what a machine has."""
