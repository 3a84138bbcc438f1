"""Installed versions, found without importing anything heavy."""

import sys
from collections.abc import Iterable
from importlib import metadata


def installed_versions(libraries: Iterable[str]) -> dict[str, str | None]:
    """Return the version of each named distribution, None where it is not installed, and Python's own."""
    found: dict[str, str | None] = {"python": sys.version.split()[0]}
    for name in libraries:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found
