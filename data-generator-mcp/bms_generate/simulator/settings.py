"""The arguments of a simulated fleet, checked once, and the time grids that follow from them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bms_generate.simulator.chemistry import CHEMISTRIES, Chemistry
from bms_generate.simulator.mixes import (
    DEATH_PATTERN,
    DYING_PATTERN,
    FAULT_PATTERN,
    SUM_TOLERANCE,
    Mix,
    Share,
    make_mix,
)

# The string's own dynamics (outages of half an hour, polarisation) are solved at least this finely.
MAX_SUBSTEP_MINUTES = 5.0
MIN_SAMPLES = 2
DUTIES = ("standby", "solar", "ups_test")


@dataclass(frozen=True)
class Settings:
    """Checked arguments of one fleet; see `bms_generate.simulate.simulate_fleet`.

    Raises:
        ValueError: an argument is out of range; the text says what was found, expected and what to do.
    """

    cells_per_string: int = 24
    days: float = 30.0
    interval_minutes: float = 60.0
    seed: int = 0
    death_fraction: Share = 0.1
    dying_fraction: Share = 0.0
    fault_fraction: Share = 0.1
    sentinel_fraction: float = 0.01
    chemistry: str = "lead_acid_flooded"
    duty: str = "standby"
    start: str | pd.Timestamp = "2026-01-01"

    def __post_init__(self) -> None:
        require_count("cells_per_string", self.cells_per_string, 1)
        require_count("seed", self.seed, 0)
        for name in ("days", "interval_minutes"):
            _require_positive(name, getattr(self, name))
        _require_fraction("sentinel_fraction", self.sentinel_fraction)
        deaths, dying, _ = self.deaths, self.dying, self.faults
        if deaths.total + dying.total > 1.0 + SUM_TOLERANCE:
            raise ValueError(
                f"death_fraction {deaths.total:g} and dying_fraction {dying.total:g} add up to "
                "more than 1; expected at most 1 together. Lower one of them."
            )
        _require_one_of("chemistry", self.chemistry, sorted(CHEMISTRIES))
        _require_one_of("duty", self.duty, DUTIES)
        if self.n_samples < MIN_SAMPLES:
            raise ValueError(
                f"days={self.days:g} at interval_minutes={self.interval_minutes:g} gives {self.n_samples} "
                f"sample(s); expected at least {MIN_SAMPLES}. Simulate more days or a shorter interval."
            )
        self._check_time_span()

    def _check_time_span(self) -> None:
        advice = "Give a start such as '2026-01-01' without a time zone, and a span that ends before 2262."
        try:
            first = pd.Timestamp(self.start)
            # A death after the span lies at most half as far after it.
            reach = 1.5 if self.dying.total > 0.0 else 1.0
            last = first + pd.Timedelta(days=reach * self.days)
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(f"start is {self.start!r}, days {self.days:g}: {error}. {advice}") from error
        if pd.isna(first) or first.tzinfo is not None or pd.isna(last):
            raise ValueError(f"start is {self.start!r}; expected a date and time without zone. {advice}")

    @property
    def n_samples(self) -> int:
        # A hair of tolerance: 30 days of 0.1 minutes must not lose a sample to rounding.
        return int(self.days * 24.0 * 60.0 / self.interval_minutes + 1e-9)

    @property
    def interval_h(self) -> float:
        return self.interval_minutes / 60.0

    @property
    def span_h(self) -> float:
        """Hours from the first to the last sample."""
        return (self.n_samples - 1) * self.interval_h

    @property
    def substeps(self) -> int:
        return max(1, math.ceil(self.interval_minutes / MAX_SUBSTEP_MINUTES - 1e-9))

    @property
    def substep_h(self) -> float:
        return self.interval_h / self.substeps

    @cached_property
    def deaths(self) -> Mix:
        """Share and kinds of the cells that die in the span."""
        return make_mix("death_fraction", self.death_fraction, DEATH_PATTERN)

    @cached_property
    def dying(self) -> Mix:
        """Share and kinds of the cells that die soon after the span."""
        return make_mix("dying_fraction", self.dying_fraction, DYING_PATTERN)

    @cached_property
    def faults(self) -> Mix:
        """Share (of the other cells) and kinds of the cells that misbehave and live on."""
        return make_mix("fault_fraction", self.fault_fraction, FAULT_PATTERN)

    @property
    def profile(self) -> Chemistry:
        return CHEMISTRIES[self.chemistry]

    @cached_property
    def fine_h(self) -> NDArray[np.float64]:
        """Hours since start of the fine grid; every `substeps`-th one is a sample."""
        return np.arange((self.n_samples - 1) * self.substeps + 1) * self.substep_h

    @cached_property
    def timestamps(self) -> NDArray[np.datetime64]:
        """Time stamps of the samples, datetime64[ns], shape (n_samples,)."""
        return self.stamps(np.arange(self.n_samples))

    def stamps(self, samples: NDArray[np.int64]) -> NDArray[np.datetime64]:
        """Time stamps of sample numbers on the grid, also of those after the last sample, same shape."""
        step_ns = round(self.interval_minutes * 60e9)
        offsets = samples.astype(np.int64) * step_ns
        return pd.Timestamp(self.start).to_datetime64().astype("datetime64[ns]") + offsets.astype(
            "timedelta64[ns]"
        )

    def clock(self, hours: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Hour of the first day (24 is the next midnight) and day of the year, of hours since the start."""
        start = pd.Timestamp(self.start)
        hour = start.hour + start.minute / 60.0 + hours
        return hour, start.dayofyear + hour / 24.0

    def samples_in(self, hours: float) -> int:
        """How many samples a stay of `hours` spans (at least one)."""
        return max(1, round(hours / self.interval_h))


def require_count(name: str, value: object, least: int) -> None:
    """Raise ValueError unless `value` is a whole number of at least `least`."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(
            f"{name} is {value!r}; expected a whole number of at least {least}. Change {name} and try again."
        )


def _require_positive(name: str, value: float) -> None:
    if not (_is_number(value) and value > 0.0):
        raise ValueError(
            f"{name} is {value!r}; expected a finite number above 0. Change {name} and try again."
        )


def _require_one_of(name: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(f"{name} is {value!r}; expected one of {', '.join(known)}. Name one of those.")


def _require_fraction(name: str, value: float) -> None:
    if not (_is_number(value) and 0.0 <= value <= 1.0):
        raise ValueError(f"{name} is {value!r}; expected a fraction from 0 to 1. Give 0.1 for ten per cent.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
