"""What an event is called: simple rules on its evidence, each of which can be checked by eye on a plot."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np

from bms_anomaly.event_evidence import SignalEvidence

Kind = Literal["dropout", "drift", "thermal", "stuck", "spike", "noise", "failing", "deviation", "impossible"]
About = Literal["cell", "sensor"]
KINDS: tuple[str, ...] = get_args(Kind)
# The others speak of the chain that measures: of its contacts, probes, converters and telegrams.
CELL_KINDS = ("thermal", "failing", "deviation")

DROPOUT_SHARE = 0.6  # of the string's usual voltage; a cell that still holds charge stays above [U]
NOTHING_SHARE = 0.1  # of the same; an open contact reads less [U]
DROPOUT_JUMP = 0.5  # of the way down in one step [U]
DEAD_SHARE = 0.9  # of the same; a lead-acid cell below (2.0 V on float) is flat or shorted [U]
STUCK_SURPRISE = 14.0  # -ln of the chance that a live sensor repeats a value so often: one in a million
STUCK_SHARE = 0.25  # of the readings of an event, whose edges reach beyond what is stuck [U]
SPIKE_READINGS = 2
SPIKE_RETURN = 0.5  # of the way, from the reading before and to the one after [U]
SPIKE_SIGMAS = 6.0  # as in preprocessing: twice the textbook's 3, because real deviations have heavy tails
NOISE_RATIO = 2.0  # steps from reading to reading, beside the cell's usual ones [U]
CLEAR_SIGMAS = 3.0  # the textbook's, of a median over many readings
RAMP_SHARE = 0.5  # of the deviation in the end that was not there at the start [U]
# What heat alone does to its cell's other signals, so that it is no sign of a second fault: the float voltage
# falls by up to 5 mV/°C (equalise; 3 on float, Narada [B]), specific gravity by 0.00072 per °C (handbooks [B]).
VOLTAGE_PER_C, GRAVITY_PER_C = -0.005, -0.00072


class Name(NamedTuple):
    """What an event is called."""

    kind: Kind
    about: About
    signal: str
    direction: Literal["low", "high", ""]


@dataclass(frozen=True)
class Event:
    """What the rules look at.

    Args:
        signals: Evidence by the name of the signal; a signal without a reading in the event is absent.
        readings: Rows of the event.
        strong_readings: Of these, rows with a score in the upper half.
        lasts: Whether it goes on until the cell's record ends.
        flagged: (kind, signal) where cleaning took out most of the event's readings.
        alone: Whether too few cells answered to compare with: the cell's own usual value stands in.
        everywhere: Whether all cells of the string had an impossible reading at the same moments.
    """

    signals: dict[str, SignalEvidence]
    readings: int
    strong_readings: int
    lasts: bool
    flagged: tuple[str, str] | None = None
    alone: bool = False
    everywhere: bool = False


def name_event(event: Event) -> Name:
    """Return what the event is called: by the first rule that fits, in the order of the list below."""
    for rule in (_flagged, _dropout, _stuck, _noise, _spike, _thermal, _failing, _drift):
        name = rule(event)
        if name:
            return name
    leading = leading_signal(event.signals)
    return _named("deviation", leading, event)


def leading_signal(signals: dict[str, SignalEvidence]) -> str:
    """Return the signal farthest off in sigmas; an event without any reading is put down to the voltage."""
    return max(signals, key=lambda name: signals[name].sigmas, default="voltage")


def _named(kind: Kind, signal: str, event: Event) -> Name:
    shown = event.signals.get(signal)
    off = 0.0 if shown is None else shown.peak if kind == "spike" else shown.excess
    direction: Literal["low", "high", ""] = ""
    if kind not in ("stuck", "noise", "impossible") and off:
        direction = "high" if off > 0 else "low"
    # No cell gets colder than its neighbours on its own: its probe has come off [U].
    of_cell = kind in CELL_KINDS and (signal, direction) != ("temperature", "low")
    return Name(kind, "cell" if of_cell else "sensor", signal, direction)


def _flagged(event: Event) -> Name | None:
    if event.flagged is None:
        return None
    kind, signal = event.flagged
    return Name(kind, "sensor", signal, "")  # type: ignore[arg-type]


def _dropout(event: Event) -> Name | None:
    """A voltage that no cell beside sound ones has, and that it went to at once: a cell sinks.

    It comes back or is next to nothing; a cell that stays low until its record ends has died.
    """
    voltage = event.signals.get("voltage")
    if voltage is None or voltage.share >= DROPOUT_SHARE or voltage.jump < DROPOUT_JUMP:
        return None
    stays = event.lasts and voltage.share >= NOTHING_SHARE
    return None if stays else _named("dropout", "voltage", event)


def _stuck(event: Event) -> Name | None:
    held = {
        name: shown.surprise
        for name, shown in event.signals.items()
        if shown.surprise >= STUCK_SURPRISE and shown.held >= STUCK_SHARE * shown.readings
    }
    return _named("stuck", max(held, key=lambda name: held[name]), event) if held else None


def _noise(event: Event) -> Name | None:
    """Much livelier than usual around a level that moved less than the readings scatter.

    Alone, a cell may just be at work: without others, its load cannot be told from noise.
    """
    lively = {
        name: shown.liveliness
        for name, shown in event.signals.items()
        if shown.liveliness >= NOISE_RATIO and _offset_sigmas(shown) < shown.liveliness
    }
    others = [shown.sigmas for name, shown in event.signals.items() if name not in lively]
    if not lively or event.alone or max(others, default=0.0) >= CLEAR_SIGMAS:
        return None
    return _named("noise", max(lively, key=lambda name: lively[name]), event)


def _spike(event: Event) -> Name | None:
    """One or two readings and back again; or a lone one that made an event of its quiet neighbours."""
    peaks = {
        name: shown.peak_sigmas for name, shown in event.signals.items() if shown.returns >= SPIKE_RETURN
    }
    if not peaks:
        return None
    signal = max(peaks, key=lambda name: peaks[name])
    shown = event.signals[signal]
    quiet = (
        event.readings <= 2 * SPIKE_READINGS
        or max(abs(shown.early), abs(shown.late)) < SPIKE_SIGMAS * shown.noise
    )
    lone = event.strong_readings <= SPIKE_READINGS and peaks[signal] >= SPIKE_SIGMAS and quiet
    return _named("spike", signal, event) if lone or event.readings <= SPIKE_READINGS else None


def _thermal(event: Event) -> Name | None:
    """A cell that is hot, and no more off in anything else than its heat explains."""
    heat = event.signals.get("temperature")
    if heat is None or heat.excess <= 0 or heat.sigmas < CLEAR_SIGMAS:
        return None
    others = [name for name in event.signals if name != "temperature"]
    if any(_beyond_heat(event, name) > heat.sigmas for name in others):
        return None
    return _named("thermal", "temperature", event)


def _failing(event: Event) -> Name | None:
    """A low voltage with company, or one that is far down, or sinks and does not come back."""
    voltage = event.signals.get("voltage")
    if voltage is None or voltage.excess >= 0:
        return None
    company = _beyond_heat(event, "gravity") >= CLEAR_SIGMAS and event.signals["gravity"].excess < 0
    heat = event.signals.get("temperature")
    company |= heat is not None and heat.excess > 0 and heat.sigmas >= CLEAR_SIGMAS
    flat = voltage.share < DEAD_SHARE and not event.alone  # alone, it may just be discharged
    sinks = event.lasts and grows(voltage) and voltage.final <= RAMP_SHARE * voltage.late
    if voltage.sigmas >= CLEAR_SIGMAS and (company or flat or sinks):
        return _named("failing", "voltage", event)
    return None


def _drift(event: Event) -> Name | None:
    """One signal that leaves its place slowly while the others of the cell stay where they were.

    Where no other signal of the cell itself is measured, a voltage that sinks is the cell's until shown otherwise.
    """
    if not event.signals or event.readings <= SPIKE_READINGS:
        return None
    leading = leading_signal(event.signals)
    shown = event.signals[leading]
    others = {name: also for name, also in event.signals.items() if name != leading}
    witnessed = any(also.peak != 0 for also in others.values())  # a probe that all cells share never deviates
    if leading == "voltage" and shown.excess < 0 and not witnessed:
        return None
    quiet = all(_beyond_heat(event, name) < CLEAR_SIGMAS for name in others)
    clear = shown.sigmas >= CLEAR_SIGMAS
    return _named("drift", leading, event) if clear and quiet and grows(shown) else None


def _offset_sigmas(shown: SignalEvidence) -> float:
    """Return how many sigmas the level is off: the strong rows of mere noise are off, but its ends are not."""
    return min(shown.sigmas, max(abs(shown.early), abs(shown.late)) / shown.noise)


def grows(shown: SignalEvidence) -> bool:
    """Whether at least half of the deviation at the end was not there at the start, and clearly so."""
    grown = (shown.late - shown.early) * np.sign(shown.late)
    return bool(grown >= max(RAMP_SHARE * abs(shown.late), CLEAR_SIGMAS * shown.noise))


def _beyond_heat(event: Event, name: str) -> float:
    """Return how many sigmas a signal is off beyond what the cell's excess heat does to it."""
    shown, heat = event.signals.get(name), event.signals.get("temperature")
    if shown is None:
        return 0.0
    per_c = {"voltage": VOLTAGE_PER_C, "gravity": GRAVITY_PER_C}.get(name)
    if per_c is None or heat is None or shown.excess == 0:
        return shown.sigmas
    explained = min(max(per_c * heat.excess / shown.excess, 0.0), 1.0)
    return shown.sigmas * (1.0 - explained)
