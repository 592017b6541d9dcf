"""The one exception that the user is told about instead of shown."""


class AudeoBenchError(Exception):
    """A fault of the input, not of the program: one clear line for the user, exit code 2, no traceback.

    The message names the file (or option), says what was found and what to do.
    """
