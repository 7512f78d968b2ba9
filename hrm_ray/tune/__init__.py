"""The search for loss weights and schedules, with Ray Tune."""
