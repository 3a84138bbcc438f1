"""Command line: `server.py [--host 127.0.0.1] [--port 8000]`."""

import argparse
import ipaddress
import sys
from collections.abc import Sequence

from bms_schema.run.errors import InvalidArgument
from bms_schema.run.threads import cap_thread_pools

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8000
BAD_ARGUMENT = 2


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a service bound to `host`.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "bms.example")]
    [True, True, True, False, False]
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def exposure_warning(host: str) -> str:
    """Return what the operator should know about binding to `host`; empty for loopback."""
    if is_loopback(host):
        return ""
    return (
        f"Warning: bound to {host}, the service answers whoever can reach this machine. It has no authentication "
        "and no encryption: put a proxy with both in front of it, or use the default --host 127.0.0.1."
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"'{text}' is no port. Expected: a whole number from 1 to 65535.")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="server.py", description="Serve the latest BMS-Flux models over HTTP."
    )
    parser.add_argument("--host", default=DEFAULT_HOST, help="address to bind to (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="TCP port (default: %(default)s)")
    options = parser.parse_args(arguments)
    if warning := exposure_warning(options.host):
        sys.stderr.write(f"{warning}\n")
    try:
        cap_thread_pools()
    except InvalidArgument as error:
        sys.stderr.write(f"{error}\n")
        return BAD_ARGUMENT

    import uvicorn

    from bms_live.app import create_app

    uvicorn.run(create_app(), host=options.host, port=options.port)
    return 0
