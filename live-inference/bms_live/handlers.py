"""Whatever goes wrong reaches the caller as the envelope: ours, the framework's own refusals, the unforeseen."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from bms_schema.run.errors import BmsError
from bms_schema.run.jobs import failure, unexpected
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from bms_live.errors import status_of
from bms_live.requests import LONGEST_TEXT

logger = logging.getLogger("bms.live")
_MOST_FAULTS = 5
_LONGEST_VALUE = 60
# (body, readings, row, column, type tried): below the column pydantic reports each type in turn.
_DEPTH_OF_VALUE = 4
_NO_JSON = (
    "The request body is no JSON, or was not sent as JSON. Expected: an object with 'readings', sent with the "
    "header Content-Type: application/json. See /docs for an example."
)


def install_handlers(app: FastAPI) -> None:
    """Make every error response of `app` an envelope."""

    @app.exception_handler(BmsError)
    async def anticipated(request: Request, error: BmsError) -> Response:
        return refusal(status_of(error), str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = error.errors()
        if _is_no_json(faults):
            return refusal(400, _NO_JSON)
        return refusal(422, word_faults(faults))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        return refusal(error.status_code, _word_status(app, request, error), error.headers)

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        # The server logs the traceback itself; it never leaves the machine.
        return refusal(500, unexpected(request.url.path, error))


def refusal(status: int, message: str, headers: Any = None) -> Response:
    """Return the error envelope with an HTTP status."""
    sendable = message.encode("utf-8", "replace").decode()  # a name in a request may be no valid Unicode
    return Response(
        failure(sendable).model_dump_json(),
        status_code=status,
        media_type="application/json",
        headers=dict(headers or {}),
    )


def _is_no_json(faults: Sequence[Any]) -> bool:
    return any(fault["type"] == "json_invalid" or isinstance(fault.get("input"), bytes) for fault in faults)


def word_faults(faults: Sequence[Any]) -> str:
    """Say in one line what is wrong with a request body.

    >>> word_faults([{"type": "missing", "loc": ("body", "cell_id"), "msg": "Field required", "input": {}}])
    'The request was refused: cell_id: Field required. See /docs for the fields and an example.'
    """
    told: dict[str, str] = {}
    for fault in faults:
        place = ".".join(str(part) for part in fault["loc"][1:4]) or "body"
        told.setdefault(place, _word_fault(fault))
    lines = [f"{place}: {text}" for place, text in list(told.items())[:_MOST_FAULTS]]
    if len(told) > _MOST_FAULTS:
        lines.append(f"and {len(told) - _MOST_FAULTS} more")
    return f"The request was refused: {'; '.join(lines)}. See /docs for the fields and an example."


def _word_fault(fault: Mapping[str, Any]) -> str:
    if len(fault["loc"]) > _DEPTH_OF_VALUE:
        return f"expected text of at most {LONGEST_TEXT} characters, a number, true, false or null"
    value = fault.get("input")
    found = "" if isinstance(value, dict | list) else f" (found {repr(value)[:_LONGEST_VALUE]})"
    return f"{fault['msg']}{found}"


def _word_status(app: FastAPI, request: Request, error: HTTPException) -> str:
    """Word a refusal of the framework itself: unknown route, wrong method, too large."""
    routes = [f"{method} {route.path}" for route in _routes(app) for method in sorted(route.methods or ())]
    if error.status_code in (404, 405):
        return (
            f"There is no {request.method} {request.url.path}. Expected one of: {', '.join(routes)}. "
            "See /docs for what each takes."
        )
    return str(error.detail)


def _routes(app: FastAPI) -> list[APIRoute]:
    return [route for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema]
