"""One short sentence with numbers on why an event is called what it is called."""

import pandas as pd
from bms_schema.run.wording import counted

from bms_anomaly.event_evidence import SignalEvidence
from bms_anomaly.kind_rules import CLEAR_SIGMAS, Event, Name, grows

# Unit, factor from the canonical unit, and decimals of each signal's deviations.
_UNITS = {"voltage": ("mV", 1000.0, 0), "temperature": ("°C", 1.0, 1), "gravity": ("", 1.0, 3)}
_VALUES = {"voltage": ("V", 1.0, 3), "temperature": ("°C", 1.0, 1), "gravity": ("", 1.0, 3)}


def evidence_of(event: Event, name: Name, span: str) -> str:
    """Return the sentence.

    Args:
        event: What the rules looked at.
        name: What it is called.
        span: How long it lasted, in words.
    """
    signal, shown = name.signal, event.signals.get(name.signal)
    if name.kind == "impossible":
        where = ", in all cells of the string at once" if event.everywhere else ""
        return f"{signal} outside of what a cell can have{where}, {span}"
    if event.flagged or shown is None:
        return f"{signal} taken out as {name.kind} by preprocessing, {span}"
    value, noise = _amount(signal, shown.value, _VALUES), f"own noise {_amount(signal, shown.noise)}"
    if name.kind == "dropout":
        return f"reads {value}, {_off(signal, shown.excess, event.alone)}, {span}"
    if name.kind == "stuck":
        return f"{signal} held at {value} for {counted(int(shown.held), 'reading')} while others moved"
    if name.kind == "noise":
        return f"{signal} moves {shown.liveliness:.0f} times as far per reading as usual, {span}; {noise}"
    if name.kind == "spike":
        return f"{signal} {_off(signal, shown.peak, event.alone)}, {span}; {noise}"
    company = [
        f"{other} {_off(other, also.excess, event.alone)}"
        for other, also in event.signals.items()
        if other != signal and also.sigmas >= CLEAR_SIGMAS
    ]
    main = f"{signal} {_off(signal, shown.excess, event.alone)}, {span}{_course(signal, shown)}"
    return "; ".join([main, *company, noise])


def span_in_words(start: object, end: object, readings: int) -> str:
    """Return how long an event lasted: in time where there are time stamps, else in readings.

    >>> span_in_words(pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-05 04:00"), 101)
    'for 4.2 days'
    >>> span_in_words(17, 17, 1)
    'in 1 reading'
    """
    if readings == 1 or not isinstance(start, pd.Timestamp) or not isinstance(end, pd.Timestamp):
        return f"in {counted(readings, 'reading')}"
    seconds = (end - start).total_seconds()
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"for {seconds / size:.1f} {unit}"
    return f"for {seconds:.0f} s"


def _amount(signal: str, number: float, units: dict[str, tuple[str, float, int]] = _UNITS) -> str:
    unit, factor, decimals = units[signal]
    return f"{round(factor * number, decimals) + 0.0:.{decimals}f} {unit}".rstrip()  # no "-0 mV"


def _off(signal: str, excess: float, alone: bool) -> str:
    side = "above" if excess >= 0 else "below"
    return f"{_amount(signal, abs(excess))} {side} {'its usual' if alone else 'the string'}"


def _course(signal: str, shown: SignalEvidence) -> str:
    """Say from where to where a deviation grew; nothing where it came at once."""
    if not grows(shown):
        return ""
    sign = 1.0 if shown.late > 0 else -1.0
    return f", growing from {_amount(signal, sign * shown.early)} to {_amount(signal, sign * shown.late)}"
