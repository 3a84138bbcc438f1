"""How much memory one run may take: `BMS_MEMORY_BUDGET`, default half of what this process can have."""

import os
import re
from pathlib import Path

from bms_schema.run.errors import InvalidArgument

VARIABLE = "BMS_MEMORY_BUDGET"
DEFAULT_SHARE = 0.5  # the other half stays for the other servers and the page cache
_BUDGET = re.compile(r"(\d+(?:\.\d+)?)\s*(%|b|kib|mib|gib|tib|kb|mb|gb|tb|)", re.IGNORECASE)
_UNITS = {"": 1, "b": 1} | {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("kmgt", start=1)
    for suffix, base in (("b", 1000), ("ib", 1024))
}
# What a container may take, by version 2 and version 1 of Linux' control groups.
_CONTAINER_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory_budget() -> int:
    """Return the bytes one run may take.

    Raises:
        InvalidArgument: `BMS_MEMORY_BUDGET` is no amount of memory.
    """
    configured = os.environ.get(VARIABLE, "").strip()
    if not configured:
        return int(DEFAULT_SHARE * machine_memory())
    found = _BUDGET.fullmatch(configured)
    amount = float(found[1]) if found else 0.0
    if found is None or amount <= 0 or (found[2] == "%" and amount > 100):
        raise InvalidArgument(
            f"{VARIABLE} is '{configured}'.",
            expected="bytes ('8589934592'), an amount with its unit ('8GiB') or a share of the memory ('50%')",
            fix="Unset it or set it right.",
        )
    if found[2] == "%":
        return int(amount / 100.0 * machine_memory())
    return int(amount * _UNITS[found[2].lower()])


def machine_memory() -> int:
    """Return the bytes this process can have: the machine's memory, or less where its container grants less."""
    import psutil  # type: ignore[import-untyped]

    limits = [int(psutil.virtual_memory().total)]
    for path in _CONTAINER_LIMITS:
        try:
            limits.append(int(path.read_text(encoding="ascii")))
        except (OSError, ValueError):  # no container, or one that says "max"
            continue
    return min(limits)


def in_words(size: float) -> str:
    """Return bytes for people.

    >>> in_words(3 * 2**30)
    '3.0 GiB'
    """
    return f"{size / 2**30:.1f} GiB" if size >= 2**29 else f"{size / 2**20:.0f} MiB"
