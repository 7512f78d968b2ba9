"""hrm-ray: from the pull-request history of Go repositories to a model that plans, writes and judges changes."""

__version__ = "0.1.0"
