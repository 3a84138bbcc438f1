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

from bms_generate.cell_traits import Traits, TraitTable
from bms_generate.cells_apart import CellsApart, set_apart, steady_centres
from bms_generate.centres import medians
from bms_generate.episodes import Fate, Fates, befall
from bms_generate.fleet_frames import Donor, frames_for, shortened
from bms_generate.fleet_layout import StringSeries, as_table, lay_out
from bms_generate.logged_form import LoggedForm
from bms_generate.normal_scores import decimals_of
from bms_generate.string_levels import Drawn, Signals, filled, robust_spread
from bms_generate.string_signals import model_strings
from bms_generate.usual_states import UsualStates
from bms_generate.wander import Wander, slow_waves

LEAST_MOMENTS = 8
# Fleets drawn to compare distributions with the real ones, of so many rows in all.
_MOST_DRAWS, _DRAWN_ROWS = 4, 400_000
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
        waves = slow_waves([string.stamps for string in self.fleet.strings])
        middles = self._fit_strings(waves)
        self._fit_cells(middles, waves)
        real = [frame[name].dropna().to_numpy(dtype=float) for name in self.fleet.columns.measured]
        steps = [0.0 if (n := decimals_of(values)) is None else 10.0**-n for values in real]
        self.steps = np.array(steps[len(self.fleet.columns.shared) :])
        self.forms = self._fit_forms(real)
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

    def _fit_strings(self, waves: int) -> list[NDArray[np.float64]]:
        """Learn what the cells of a string share: its signals and the middle of its cells; return the medians."""
        strings = self.fleet.strings
        self.states = UsualStates.of([string.states for string in strings])
        middles = [medians(string.own) for string in strings]
        centres, self.by_mean = steady_centres(strings, middles, self.states)
        signals = [
            Signals(string.stamps, np.concatenate([filled(string.shared), centre], axis=1))
            for string, centre in zip(strings, centres, strict=True)
        ]
        self.signals = model_strings(signals, waves)
        self.far_at = _far_at(self.signals.excursions)
        return middles

    def _fit_cells(self, middles: list[NDArray[np.float64]], waves: int) -> None:
        """Learn what tells the cells apart: traits, what befalls them, and how they wander."""
        self.fates = Fates()
        traits, wanders = [], []
        active = [self._active(excursions) for excursions in self.signals.excursions]
        n_shared = len(self.fleet.columns.shared)
        for string, middle, excursions, far in zip(
            self.fleet.strings, middles, self.signals.excursions, active, strict=True
        ):
            own = excursions[:, n_shared:]
            cells = set_apart(string, middle, own, self.states)
            traits.append(cells.traits.of(cells.lasting > 0))
            wanders.append(self._usual_wander(string, cells, own, far))
        self.traits = TraitTable().fit(traits, np.random.default_rng(self.random_state))
        self.wander = Wander().fit(wanders, active, waves)

    def _usual_wander(
        self,
        string: StringSeries,
        cells: CellsApart,
        excursion: NDArray[np.float64],
        far: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """What is left in units of the cells' spread, once what befell them has been taken out."""
        spread = cells.traits.spread
        usual = self.fates.add_string(
            cells.residual,
            spread,
            self.states.events_of(string.states),
            self.states.usual,
            excursion,
            ~far,
            cells.lasting,
        )
        scaled = cells.residual / np.where(spread > 0, spread, np.inf)
        return np.where(usual[:, :, None], scaled, np.nan)

    def _active(self, excursions: NDArray[np.float64]) -> NDArray[np.bool_]:
        return (np.abs(excursions) > self.far_at).any(axis=1)

    def _fit_forms(self, real: list[NDArray[np.float64]]) -> list[LoggedForm]:
        """How each signal is logged, learnt from its real values and from fleets drawn for it."""
        rows = sum(int(string.present.sum()) for string in self.fleet.strings)
        draws = [
            string
            for number in range(max(1, min(_MOST_DRAWS, _DRAWN_ROWS // rows)))
            for string in self._draw(None, np.random.default_rng([self.random_state, number, 1]))
        ]
        shared = [np.repeat(string.shared, string.present.sum(axis=1), axis=0) for string in draws]
        own = [string.own[string.present] for string in draws]
        drawn = np.concatenate([np.concatenate(shared), np.concatenate(own)], axis=1).T
        return [LoggedForm.fit(d[np.isfinite(d)], r) for d, r in zip(drawn, real, strict=True)]

    def sample(self, rows: int | None = None, seed: int = 0) -> pd.DataFrame:
        """Draw strings one after the other until there are `rows` rows; the last one gets fewer cells.

        Args:
            rows: Rows wanted; None for as many as the real table has.
            seed: Same model and seed, same rows.

        Returns:
            Columns and order of rows of the real table.
        """
        drawn = self._draw(rows, np.random.default_rng([self.random_state, seed]))
        return as_table(self.fleet, [self._as_logged(string) for string in shortened(drawn, rows)])

    def _draw(self, rows: int | None, random: np.random.Generator) -> list[StringSeries]:
        """Draw strings before their values are brought to the real distributions and rounded."""
        frames = frames_for(self.fleet, rows)
        drawn = self.signals.sample([frame.stamps for frame in frames], random)
        counts = [frame.present.shape[1] for frame in frames]
        traits = self.traits.sample(sum(counts), random)
        fates = self.fates.draw(counts, random)
        active = [self._active(part.excursions) for part in drawn]
        wander = self.wander.sample(active, counts, random)
        strings, first = [], 0
        for frame, signals, far, restless, fated in zip(frames, drawn, active, wander, fates, strict=True):
            own = traits.of(slice(first, first + len(fated)))
            strings.append(self._draw_string(frame, signals, far, restless, own, fated, random))
            first += len(fated)
        return strings

    def _draw_string(
        self,
        frame: StringSeries,
        drawn: Drawn,
        active: NDArray[np.bool_],
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
        states = np.empty((moments, cells, len(self.states.usual)), dtype=np.int16)
        for cell, fate in enumerate(fates):
            added, states[:, cell], silent = befall(fate, own, active, self.states.usual, random)
            deviation[silent, cell] -= wander[silent, cell]
            (passing if fate.course is None else deviation)[:, cell] += added
        # The middle of the cells is what has been drawn for it: about a mean, what one lacks the others have more.
        deviation -= np.where(
            self.by_mean, deviation.mean(axis=1, keepdims=True), np.median(deviation, axis=1, keepdims=True)
        )
        values = drawn.values[:, None, n_shared:] + deviation + passing
        shared = drawn.values[:, :n_shared].copy()
        donor = Donor.draw(self.fleet, moments, cells, random)
        shared[donor.shared_gaps] = np.nan
        values[donor.own_gaps] = np.nan
        states = np.where(self.states.rare & (donor.states >= 0), states, donor.states)
        return StringSeries(frame.stamps, frame.present, shared, values, states, frame.attributes)

    def _before_rounding(self, spread: NDArray[np.float64]) -> NDArray[np.float64]:
        """Spread without what rounding added to the real readings, and will add to the new ones."""
        return np.sqrt(np.maximum(spread**2 - self.steps**2 / 12.0, 0.0))

    def _as_logged(self, string: StringSeries) -> StringSeries:
        n_shared = string.shared.shape[1]
        shared, own = string.shared.copy(), string.own.copy()
        for number, form in enumerate(self.forms):
            if number < n_shared:
                shared[:, number] = form.apply(shared[:, number])
            else:
                own[:, :, number - n_shared] = form.apply(own[:, :, number - n_shared])
        return replace(string, shared=shared, own=own)


def _far_at(excursions: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    together = np.concatenate(excursions)
    return np.maximum(_FAR * robust_spread(together), _FAR_SHARE * np.abs(together).max(axis=0)) + 1e-12
