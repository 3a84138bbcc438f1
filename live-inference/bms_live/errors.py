"""Which HTTP status an error gets, and the service's own errors.

InvalidArgument                    400   an option is out of its range
UnknownModel                       404   no such model version
ModelError                         409   the stored model is damaged or does not fit these readings
(`body_limit`, not of this tree)    413   the body is too large
InputError                         422   the readings cannot be used
NoModelYet, TooBusy, MachineProblem  503   train first, try later, or the operator's turn
anything else                      500   never with a traceback
"""

from bms_schema.run.errors import BmsError, InputError, InvalidArgument, MachineProblem, ModelError


class NoModelYet(ModelError):
    """Nothing has been trained in this workspace yet."""


class UnknownModel(ModelError):
    """The asked version is not in the store."""


class TooBusy(BmsError):
    """Too many predictions wait already."""


# The first class that fits decides, so subclasses stand before their bases.
_STATUS: tuple[tuple[type[BmsError], int], ...] = (
    (InvalidArgument, 400),
    (UnknownModel, 404),
    (NoModelYet, 503),
    (TooBusy, 503),
    (MachineProblem, 503),
    (ModelError, 409),
    (InputError, 422),
)


def status_of(error: BmsError) -> int:
    """Return the HTTP status for an anticipated error."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
