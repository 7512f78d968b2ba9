"""The one exception that is the user's to mend: the command line prints its sentence and exits with 2."""


class UserError(Exception):
    """One clear sentence that names the file, record or key."""
