"""Everything that can go wrong, as one tree.

    Sdr2HdrError
    ├── InputError    (ValueError)    a picture cannot be read or is not what it should be   status 1
    ├── OutputError   (OSError)       a result cannot be written                             status 1
    ├── UsageError    (ValueError)    options that do not go together                        status 2
    ├── TrainingError (ArithmeticError) a loss that is no number any more                    status 1
    └── WeightsError  (RuntimeError)  weights missing, altered or of the wrong kind          status 3

Every message is one line: which file, what is wrong, and the cure. The command line catches the tree in one
place and turns it into that line and the exit status.
"""


class Sdr2HdrError(Exception):
    """Base of all errors that this package raises on purpose."""

    status = 1


class InputError(Sdr2HdrError, ValueError):
    """A picture cannot be read, or it is of a kind that is refused."""


class OutputError(Sdr2HdrError, OSError):
    """A result cannot be written."""


class UsageError(Sdr2HdrError, ValueError):
    """Options, names or arguments that make no sense together."""

    status = 2


class TrainingError(Sdr2HdrError, ArithmeticError):
    """The loss is no number any more; the last checkpoint is kept."""


class WeightsError(Sdr2HdrError, RuntimeError):
    """The weights or the installation cannot be used."""

    status = 3
