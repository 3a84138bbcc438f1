"""Where and when a string's cells gave no reading, and why: a map that stays small however long the record."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import LOST
from bms_schema.data.columns import flag_of

from bms_preprocess.bands import STRETCHES, Stretches
from bms_preprocess.cell_facts import DEVIATIONS, CellCodes
from bms_preprocess.reasons import reason_codes

MOST_MAPS, MOST_MAP_CELLS = 2, 60


@dataclass(frozen=True)
class Availability:
    """What became of a string's readings, cells × stretches of time; the 60 cells that miss most.

    Args:
        string: Name.
        missing: Share of the string's readings of cell signals that are missing; the worst strings are kept.
        n_cells: Cells of the string, shown or not.
        cells: Names, shape (c,).
        edges: Begin and end, datetime64[ns] or source rows, shape (2,).
        share: Share of the stretch's readings that are missing, NaN where the cell has no row, shape (c, m).
        reason: Place in `LOST` of the most frequent reason, -1 without one, int8, shape (c, m).
    """

    string: str
    missing: float
    n_cells: int
    cells: np.ndarray
    edges: np.ndarray
    share: np.ndarray
    reason: np.ndarray


def availability_maps(frame: pd.DataFrame, cells: CellCodes, place: Stretches) -> list[Availability]:
    """Return the maps of the two strings that miss most; a string that misses nothing has none."""
    names = [name for name in DEVIATIONS if name in frame and frame[name].notna().any()]
    n = len(cells.names)
    code = (cells.code.astype("int64") * STRETCHES + place.stretch)[place.known]
    counts = np.zeros((len(LOST), n * STRETCHES), dtype="int64")
    for name in names:
        reasons = reason_codes(frame[flag_of(name)])[place.known]
        for number in np.unique(reasons[(reasons > 0) & (reasons <= len(LOST))]):
            counts[number - 1] += np.bincount(code[reasons == number], minlength=n * STRETCHES)
    rows = np.bincount(code, minlength=n * STRETCHES).reshape(n, STRETCHES) * len(names)
    missing = counts.sum(axis=0).reshape(n, STRETCHES)
    reason = np.where(missing > 0, counts.argmax(axis=0).reshape(n, STRETCHES), -1).astype(np.int8)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(rows > 0, missing / rows, np.nan)
    lost, of = missing.sum(axis=1), rows.sum(axis=1)
    string_of = np.searchsorted(place.names, cells.strings.astype(str))
    maps = []
    for number, name in enumerate(place.names):
        members = np.flatnonzero(string_of == number)
        if lost[members].sum():
            by_loss = np.lexsort(
                (cells.names[members].astype(str), -lost[members] / np.maximum(of[members], 1))
            )
            shown = members[by_loss[:MOST_MAP_CELLS]]
            maps.append(
                Availability(
                    string=str(name),
                    missing=float(lost[members].sum() / of[members].sum()),
                    n_cells=len(members),
                    cells=cells.names[shown],
                    edges=place.edges(number),
                    share=share[shown, : place.cuts[number]],
                    reason=reason[shown, : place.cuts[number]],
                )
            )
    return most_missing(maps)


def most_missing(maps: list[Availability]) -> list[Availability]:
    """Keep the maps of the two strings with the largest share of missing readings."""
    return sorted(maps, key=lambda found: (-found.missing, found.string))[:MOST_MAPS]
