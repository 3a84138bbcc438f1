"""Every error a BMS-Flux caller can meet, one class per decision of the caller.

    BmsError
    ├── InputError            change what you passed
    │   ├── PathNotAllowed    the path lies outside the allowed roots
    │   ├── PathNotFound      nothing is there
    │   ├── UnreadableTable   the file is there but is no table we can read
    │   ├── MissingColumn     the table lacks a column, or it has no usable value
    │   ├── NotEnoughData     readable, but too little to answer from
    │   ├── UnknownName       no such cell, table, column, run …: the known ones are listed
    │   └── InvalidArgument   an option is out of its range
    ├── ModelError            train again, or name another model version
    ├── MachineProblem        disk, permission or installation: the operator's turn
    └── RunCancelled          the caller asked for it

Each message says what was found, what was expected and what to do.
"""

from collections.abc import Iterable


class BmsError(Exception):
    """An anticipated failure, told in three parts.

    Args:
        found: What is there, with the value or the path.
        expected: What would have been right.
        fix: What the caller can do about it.

    >>> str(InputError("steps is 0.", expected="1 to 10000", fix="Pass steps=24."))
    'steps is 0. Expected: 1 to 10000. Pass steps=24.'
    """

    def __init__(self, found: str, *, expected: str = "", fix: str = "") -> None:
        self.found, self.expected, self.fix = found, expected, fix
        parts = (found, f"Expected: {expected.rstrip('.')}." if expected else "", fix)
        super().__init__(" ".join(part for part in parts if part))


class InputError(BmsError):
    """What the caller passed cannot be used."""


class PathNotAllowed(InputError):
    """The path lies outside the allowed roots."""


class PathNotFound(InputError):
    """Nothing is at that path."""


class UnreadableTable(InputError):
    """The file exists but is no table we can read."""


class MissingColumn(InputError):
    """A required column is absent or holds no usable value."""


class NotEnoughData(InputError):
    """The table is readable but too small for the question."""


class UnknownName(InputError):
    """A cell, table, column or run of that name does not exist."""

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[object], *, limit: int = 20) -> "UnknownName":
        """Build the error for a `name` that is not one of the `known` ones, which it lists."""
        names = [str(item) for item in known]
        shown = ", ".join(names[:limit]) + (f", … ({len(names)} in all)" if len(names) > limit else "")
        return cls(
            f"There is no {kind} '{name}'.",
            expected=f"one of: {shown or 'none exist'}",
            fix=f"Pass a known {kind}.",
        )


class InvalidArgument(InputError):
    """An option is out of its range or does not fit the others."""


class ModelError(BmsError):
    """A stored model is missing, damaged or does not fit this data."""


class MachineProblem(BmsError):
    """Disk, permission or installation."""


class RunCancelled(BmsError):
    """The caller cancelled the run."""

    def __init__(self, found: str = "The run was cancelled on request; nothing was kept.") -> None:
        super().__init__(found)
