"""One thing to look at, and how lists of cells and times are put into words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["act", "check", "note"]
SEVERITIES: tuple[Severity, ...] = ("act", "check", "note")
MOST_NAMED = 5
LONGEST_NAME = 48


@dataclass(frozen=True)
class Finding:
    """One thing to look at: a few words, and what was seen with its figures.

    Args:
        severity: `act`: a battery or a charger may be harmed. `check`: a sensor, the wiring or the export seems
            wrong. `note`: to know when reading the data.
        title: A few words.
        sentence: What was seen, with its figures, and what it may mean.
    """

    severity: Severity
    title: str
    sentence: str


def ordered(findings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put findings in the order of severity; within one as they come."""
    return [dict(found) for found in sorted(findings, key=lambda one: SEVERITIES.index(one["severity"]))]


def as_records(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as plain JSON values, the most severe first."""
    return ordered(asdict(found) for found in findings)


def named(items: Sequence[tuple[str, str]], total: int | None = None) -> str:
    """Return the first five names with their figures, and how many more there are.

    >>> named([("A/1", "50%"), ("A/2", "40%")], total=7)
    'A/1 (50%), A/2 (40%) and 5 more'
    """
    shown = ", ".join(
        f"{short(name)} ({figure})" if figure else short(name) for name, figure in items[:MOST_NAMED]
    )
    more = (len(items) if total is None else total) - min(len(items), MOST_NAMED)
    return shown + (f" and {more:,} more" if more > 0 else "")


def short(name: str) -> str:
    """Cut a name that is too long for a sentence in its middle.

    >>> short("x" * 60) == "x" * 23 + "…" + "x" * 24
    True
    """
    half = LONGEST_NAME // 2
    return name if len(name) <= LONGEST_NAME else f"{name[: half - 1]}…{name[-half:]}"


def percent(share: float) -> str:
    """Return a share as a percentage that is never 0 % or 100 % unless it is.

    >>> percent(0.0004), percent(0.9999), percent(0.25), percent(1.0), percent(0.012)
    ('0.04 %', 'over 99 %', '25 %', '100 %', '1.2 %')
    """
    if share >= 1.0 or share == 0.0:
        return f"{share:.0%}".replace("%", " %")
    if share > 0.99:
        return "over 99 %"
    if share < 0.0001:
        return "under 0.01 %"
    digits = 0 if share >= 0.0995 else 1 if share >= 0.00995 else 2
    return f"{share * 100:.{digits}f} %"


def hours(duration_h: float | None) -> str:
    """Return a duration in the unit people use.

    >>> hours(0.5), hours(30.0), hours(72.0), hours(None)
    ('30 min', '30 h', '3 d', 'an unknown time')
    """
    if duration_h is None:
        return "an unknown time"
    for size, unit in ((48.0, "d"), (1.0, "h"), (1 / 60, "min")):
        if duration_h >= size:
            return f"{duration_h / (24.0 if unit == 'd' else size):.3g} {unit}"
    return f"{duration_h * 3600:.3g} s"


def moment(value: Any) -> str:
    """Return a time stamp to the second, `?` where there is none."""
    return "?" if value is None or value != value else str(value)[:19].replace("T", " ")
