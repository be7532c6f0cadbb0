"""What the exit status says."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """What a finished command tells the shell.

    An interrupted one leaves with 130.
    """

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    NOTHING = 3
