"""What synthetic strings borrow from real ones: time stamps, which cells report when, and gaps."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bms_generate.fleet_layout import Fleet, StringSeries, renamed


def frames_for(fleet: Fleet, rows: int | None) -> list[StringSeries]:
    """Return the real strings in turn, as many as `rows` take (None: all once)."""
    frames: list[StringSeries] = []
    left = rows if rows is not None else sum(int(string.present.sum()) for string in fleet.strings)
    while left > 0:
        turn, place = divmod(len(frames), len(fleet.strings))
        string = fleet.strings[place]
        frames.append(replace(string, attributes=renamed(string.attributes, fleet.columns, turn)))
        left -= int(string.present.sum())
    return frames


def shortened(strings: list[StringSeries], rows: int | None) -> list[StringSeries]:
    """Return strings with `rows` rows (None: all): fewer cells in the last one, and fewer readings of its last.

    Half a fleet is a smaller one, and no shorter log.
    """
    if rows is None:
        return strings
    return [*strings[:-1], _first_rows(strings[-1], rows - sum(int(s.present.sum()) for s in strings[:-1]))]


def _first_rows(string: StringSeries, rows: int) -> StringSeries:
    """Return the string's first cells, with so many rows at most."""
    readings = string.present.sum(axis=0)
    before = np.cumsum(readings) - readings
    cells = before < rows
    present = string.present[:, cells].copy()
    kept = rows - int(before[cells][-1])
    present[:, -1] &= np.cumsum(present[:, -1]) <= kept
    return replace(
        string,
        present=present,
        own=string.own[:, cells],
        states=string.states[:, cells],
        attributes=string.attributes[cells].reset_index(drop=True),
    )


@dataclass(frozen=True)
class Donor:
    """A real string that lends its gaps and its frequent states to a synthetic one, later and to other cells.

    Args:
        string: The real string.
        when: Its moment for each synthetic one, shape (moments,).
        dealt: Its cell for each synthetic one, shape (cells,).
    """

    string: StringSeries
    when: NDArray[np.intp]
    dealt: NDArray[np.intp]

    @classmethod
    def draw(cls, fleet: Fleet, moments: int, cells: int, random: np.random.Generator) -> "Donor":
        """Draw the string, how far its time is turned round, and how its cells are dealt."""
        string = fleet.strings[random.integers(len(fleet.strings))]
        when = (np.arange(moments) + random.integers(len(string.stamps))) % len(string.stamps)
        return cls(string, when, np.resize(random.permutation(string.present.shape[1]), cells))

    @property
    def shared_gaps(self) -> NDArray[np.bool_]:
        """Where shared signals are missing, shape (moments, shared columns)."""
        return np.isnan(self.string.shared)[self.when]

    @property
    def own_gaps(self) -> NDArray[np.bool_]:
        """Where cells that report have no value, shape (moments, cells, own columns)."""
        gaps = np.isnan(self.string.own) & self.string.present[:, :, None]
        return gaps[self.when][:, self.dealt]

    @property
    def states(self) -> NDArray[np.int16]:
        """State codes, -1 where missing, shape (moments, cells, state columns)."""
        return self.string.states[self.when][:, self.dealt]
