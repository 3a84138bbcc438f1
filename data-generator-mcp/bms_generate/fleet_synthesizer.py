"""Synthetic strings of cells that behave like the real ones over time: `FleetSynthesizer`.

Top down, as a string is built: first what its cells share, then each cell by itself. A reading is

    median of the string + offset + slope x excursion of the median + spread x wander + what befalls the cell

with one term per module: `string_signals`, `cell_traits` (SDV's Gaussian copula), `wander`, `episodes`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from bms_schema.run.errors import NotEnoughData
from numpy.typing import NDArray

from bms_generate.cell_traits import Traits, TraitTable, measure
from bms_generate.centres import mean_is_steadier, means, medians
from bms_generate.episodes import Fate, Fates, are_rare, befall, lasting_from, spans_away, usual_states
from bms_generate.fleet_layout import StringSeries, as_table, lay_out, renamed
from bms_generate.logged_form import LoggedForm
from bms_generate.normal_scores import decimals_of
from bms_generate.string_levels import Drawn, Signals, filled, robust_spread
from bms_generate.string_signals import model_strings
from bms_generate.wander import Wander

LEAST_MOMENTS = 8
# Fleets drawn to compare distributions with the real ones, of so many rows in all.
_MOST_DRAWS, _DRAWN_ROWS = 4, 400_000
_DAY_NS, _LEAST_WAVES = 86_400 * 10**9, 3
# A string is far from rest where a signal is this many robust standard deviations, and this share of its
# largest excursion, off its usual level.
_FAR, _FAR_SHARE = 4.0, 0.1


class FleetSynthesizer:
    """Learns a fleet of strings from telemetry and draws fleets like it.

    Args:
        entity: Columns that name a cell together.
        time: Column of time stamps.
        string: Columns that name a string; none where all cells are one string.
        random_state: Same data and seed, same model.
    """

    def __init__(
        self,
        entity: Sequence[str] = ("Cell ID",),
        time: str = "Timestamp",
        string: Sequence[str] = ("string",),
        random_state: int = 0,
    ) -> None:
        self.entity, self.time, self.string, self.random_state = entity, time, string, random_state

    def fit(self, frame: pd.DataFrame) -> "FleetSynthesizer":
        """Learn from a typed table, one row per cell and moment; missing as NaN or None.

        Raises:
            NotEnoughData: no string has 8 moments.
        """
        self.fleet = lay_out(frame, self.entity, self.time, self.string)
        if max(len(string.stamps) for string in self.fleet.strings) < LEAST_MOMENTS:
            raise NotEnoughData(
                "No string has enough readings to learn its behaviour from.",
                expected=f"at least {LEAST_MOMENTS} moments",
                fix="Pass a longer log.",
            )
        random = np.random.default_rng(self.random_state)
        states = [string.states for string in self.fleet.strings]
        self.usual = usual_states(states)
        self.rare = are_rare(states, self.usual)
        middles = [medians(string.own) for string in self.fleet.strings]
        centres = self._find_centres(middles)
        self.signals = model_strings(
            [
                Signals(string.stamps, np.concatenate([filled(string.shared), centre], axis=1))
                for string, centre in zip(self.fleet.strings, centres, strict=True)
            ],
            waves := _slow_waves([string.stamps for string in self.fleet.strings]),
        )
        self.far_at = _far_at(self.signals.excursions)
        self.fates = Fates()
        traits, residuals = [], []
        for string, middle, excursions in zip(
            self.fleet.strings, middles, self.signals.excursions, strict=True
        ):
            own = excursions[:, string.shared.shape[1] :]
            found, lasting, residual = self._set_apart(string, middle, own)
            usual = self.fates.add_string(
                residual,
                found.spread,
                self._rare_states(string),
                self.usual,
                ~self._active(excursions),
                lasting,
            )
            scaled = residual / np.where(found.spread > 0, found.spread, np.inf)
            residuals.append(np.where(usual[:, :, None], scaled, np.nan))
            traits.append(found.of(lasting > 0))
        self.traits = TraitTable().fit(traits, random)
        active = [self._active(values) for values in self.signals.excursions]
        self.wander = Wander().fit(residuals, active, waves)
        real = [frame[name].dropna().to_numpy(dtype=float) for name in self.fleet.columns.own]
        self.steps = np.array([0.0 if (n := decimals_of(r)) is None else 10.0**-n for r in real])
        self.forms = self._fit_forms(frame)
        return self

    @property
    def notes(self) -> list[str]:
        """What was taken for what, in words."""
        columns = self.fleet.columns
        shared = ", ".join(columns.shared) or "none"
        found = [f"{len(self.fleet.strings)} string(s); signals shared by the cells of a string: {shared}"]
        found.append(self.signals.words)
        if self.fates.courses:
            found.append(f"{len(self.fates.courses)} cell(s) end in a state that lasts, such as a death")
        return found

    def _find_centres(self, middles: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        """What the strings hold steady, (moments, own columns) each: the median of the cells or their mean."""
        by_mean = []
        for string, middle in zip(self.fleet.strings, middles, strict=True):
            found, lasting, residual = self._set_apart(string, middle, middle - np.median(middle, axis=0))
            away = spans_away(residual, found.spread, np.zeros((*string.present.shape, 0), dtype=bool))
            by_mean.append(means(string.own, ~away | (lasting < len(middle))))
        self.by_mean = mean_is_steadier(middles, by_mean)
        return [np.where(self.by_mean, mean, median) for mean, median in zip(by_mean, middles, strict=True)]

    def _set_apart(
        self, string: StringSeries, middle: NDArray[np.float64], excursion: NDArray[np.float64]
    ) -> tuple[Traits, NDArray[np.intp], NDArray[np.float64]]:
        """Traits of a string's cells, when a state begins to last, and what the traits leave unexplained."""
        states = self._rare_states(string)
        unusual = states != self.usual
        lasting = lasting_from(unusual)
        moments = len(middle)
        # A cell that is to end is itself only in the first half of its way there.
        early = np.arange(moments)[:, None] < np.where(lasting < moments, lasting / 2, moments)
        deviation = string.own - middle[:, None, :]
        found = measure(deviation, excursion, early & ~unusual.any(axis=2))
        # A cell that has been so from the start has no usual self; all it does is part of its course.
        found = Traits(*(part * (lasting > 0)[:, None] for part in (found.offset, found.slope, found.spread)))
        return found, lasting, deviation - found.expected(excursion)

    def _rare_states(self, string: StringSeries) -> NDArray[np.int16]:
        """State codes with missing and frequent ones as if nothing were the matter."""
        return np.where(self.rare & (string.states >= 0), string.states, self.usual)

    def _active(self, excursions: NDArray[np.float64]) -> NDArray[np.bool_]:
        return (np.abs(excursions) > self.far_at).any(axis=1)

    def _fit_forms(self, frame: pd.DataFrame) -> list[LoggedForm]:
        """How each signal is logged, learnt from fleets drawn for it."""
        rows = sum(int(string.present.sum()) for string in self.fleet.strings)
        draws = [
            string
            for number in range(max(1, min(_MOST_DRAWS, _DRAWN_ROWS // rows)))
            for string in self._draw(None, np.random.default_rng([self.random_state, number, 1]))
        ]
        shared = [np.repeat(string.shared, string.present.sum(axis=1), axis=0) for string in draws]
        own = [string.own[string.present] for string in draws]
        drawn = np.concatenate([np.concatenate(shared), np.concatenate(own)], axis=1).T
        real = [frame[name].dropna().to_numpy(dtype=float) for name in self.fleet.columns.measured]
        return [LoggedForm.fit(d[np.isfinite(d)], r) for d, r in zip(drawn, real, strict=True)]

    def sample(self, rows: int | None = None, seed: int = 0) -> pd.DataFrame:
        """Draw strings one after the other until there are `rows` rows; the last one is cut short.

        Args:
            rows: Rows wanted; None for as many as the real table has.
            seed: Same model and seed, same rows.

        Returns:
            Columns and order of rows of the real table.
        """
        drawn = self._draw(rows, np.random.default_rng([self.random_state, seed]))
        return as_table(self.fleet, [self._as_logged(string) for string in drawn])

    def _draw(self, rows: int | None, random: np.random.Generator) -> list[StringSeries]:
        """Draw strings before their values are brought to the real distributions and rounded."""
        frames = self._frames(rows)
        drawn = self.signals.sample([frame.stamps for frame in frames], random)
        counts = [frame.present.shape[1] for frame in frames]
        traits = self.traits.sample(sum(counts), random)
        fates = self.fates.draw(counts, random)
        wander = self.wander.sample([self._active(part.excursions) for part in drawn], counts, random)
        strings, first = [], 0
        for frame, signals, restless, fated in zip(frames, drawn, wander, fates, strict=True):
            own = traits.of(slice(first, first + len(fated)))
            strings.append(self._draw_string(frame, signals, restless, own, fated, random))
            first += len(fated)
        return strings

    def _frames(self, rows: int | None) -> list[StringSeries]:
        """The real strings in turn as frames for the new ones, as many as `rows` take."""
        frames: list[StringSeries] = []
        left = rows if rows is not None else sum(int(s.present.sum()) for s in self.fleet.strings)
        while left > 0:
            turn, place = divmod(len(frames), len(self.fleet.strings))
            string = self.fleet.strings[place]
            reached = np.cumsum(string.present.sum(axis=1))
            end = min(int(np.searchsorted(reached, left)) + 1, len(reached))
            short = _cut_short(string, end, max(0, int(reached[end - 1]) - left))
            frames.append(replace(short, attributes=renamed(string.attributes, self.fleet.columns, turn)))
            left -= int(reached[end - 1])
        return frames

    def _draw_string(
        self,
        frame: StringSeries,
        drawn: Drawn,
        wander: NDArray[np.float64],
        traits: Traits,
        fates: list[Fate],
        random: np.random.Generator,
    ) -> StringSeries:
        n_shared = frame.shared.shape[1]
        moments, cells = frame.present.shape
        own = drawn.excursions[:, n_shared:]
        wander = self._before_rounding(traits.spread) * wander
        deviation, passing = traits.expected(own) + wander, np.zeros_like(wander)
        states = np.empty((moments, cells, len(self.usual)), dtype=np.int16)
        for cell, fate in enumerate(fates):
            added, states[:, cell], silent = befall(fate, moments, own.shape[1], self.usual, random)
            deviation[silent, cell] -= wander[silent, cell]
            (passing if fate.course is None else deviation)[:, cell] += added
        # About a mean, what one cell lacks the others have more.
        deviation -= np.where(self.by_mean, deviation.mean(axis=1, keepdims=True), 0.0)
        values = drawn.values[:, None, n_shared:] + deviation + passing
        shared = drawn.values[:, :n_shared].copy()
        donor, when, dealt = self._moved_string(moments, cells, random)
        shared[np.isnan(donor.shared)[when]] = np.nan
        values[(np.isnan(donor.own) & donor.present[:, :, None])[when][:, dealt]] = np.nan
        taken = donor.states[when][:, dealt]
        states = np.where(self.rare & (taken >= 0), states, taken)
        return StringSeries(frame.stamps, frame.present, shared, values, states, frame.attributes)

    def _before_rounding(self, spread: NDArray[np.float64]) -> NDArray[np.float64]:
        """Spread without what rounding added to the real readings, and will add to the new ones."""
        return np.sqrt(np.maximum(spread**2 - self.steps**2 / 12.0, 0.0))

    def _moved_string(
        self, moments: int, cells: int, random: np.random.Generator
    ) -> tuple[StringSeries, NDArray[np.intp], NDArray[np.intp]]:
        """A real string that lends its gaps and its frequent states, its moments, and its cells dealt anew."""
        donor = self.fleet.strings[random.integers(len(self.fleet.strings))]
        when = (np.arange(moments) + random.integers(len(donor.stamps))) % len(donor.stamps)
        return donor, when, np.resize(random.permutation(donor.present.shape[1]), cells)

    def _as_logged(self, string: StringSeries) -> StringSeries:
        n_shared = string.shared.shape[1]
        shared, own = string.shared.copy(), string.own.copy()
        for number, form in enumerate(self.forms):
            if number < n_shared:
                shared[:, number] = form.apply(shared[:, number])
            else:
                own[:, :, number - n_shared] = form.apply(own[:, :, number - n_shared])
        return replace(string, shared=shared, own=own)


def _cut_short(string: StringSeries, end: int, surplus: int) -> StringSeries:
    present = string.present[:end].copy()
    present[-1, np.flatnonzero(present[-1])[::-1][:surplus]] = False
    return StringSeries(
        string.stamps[:end],
        present,
        string.shared[:end],
        string.own[:end],
        string.states[:end],
        string.attributes,
    )


def _slow_waves(grids: Sequence[NDArray[np.datetime64]]) -> int:
    """Half waves of two days and longer that fit into the longest log; in a short log at least a few."""
    span = max(int((stamps[-1] - stamps[0]).astype("int64")) for stamps in grids)
    return max(_LEAST_WAVES, round(span / _DAY_NS))


def _far_at(excursions: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    together = np.concatenate(excursions)
    return np.maximum(_FAR * robust_spread(together), _FAR_SHARE * np.abs(together).max(axis=0)) + 1e-12
