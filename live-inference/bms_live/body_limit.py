"""A bound on the request body, counted while it arrives: a missing or false Content-Length gets nobody past it.

FastAPI's own `max_body_size` answers an announced size in plain text, past every exception handler.
"""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 64 * 1024 * 1024  # 200,000 readings of ten columns are 50 MB of JSON (measured)


class BodyLimit:
    """ASGI middleware that ends a request whose body is larger than `limit` bytes with status 413."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a counting `receive`."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"")
        received = 0

        async def counted() -> Message:
            nonlocal received
            if announced.isdigit() and int(announced) > self.limit:
                raise self._refusal(int(announced))
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.limit:
                raise self._refusal(received)
            return message

        await self.app(scope, counted, send)

    def _refusal(self, size: int) -> HTTPException:
        # While it reads a body the framework lets only its own exception through unchanged.
        return HTTPException(
            status_code=413,
            detail=(
                f"The request body has {size:,} bytes or more. Expected: at most {self.limit:,}. Send fewer "
                "readings at once, or use the MCP servers on a file."
            ),
        )
