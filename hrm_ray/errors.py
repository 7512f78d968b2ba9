"""The one exception that is the user's to mend: the command line prints its sentence and exits with 2."""


class UserError(Exception):
    """One clear sentence that names the file, record or key."""

    exit_code = 2


class ConfigError(UserError):
    """A setting that cannot be used."""


class UnusableError(UserError):
    """Nothing that a model wrote can be used; the request itself was sound."""

    exit_code = 3
