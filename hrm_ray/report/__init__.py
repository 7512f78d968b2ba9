"""Run folders to one HTML file and a decision."""
