"""From a canonical battery table to one tidy frame per target of a cell."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, MEASURED_NAMES, STRING, TIMESTAMP
from bms_schema.data.features import string_deviation
from bms_schema.data.moments import moment_codes
from bms_schema.data.neighbours import string_median
from bms_schema.run.errors import ModelError, NotEnoughData, UnknownName

from bms_forecast.features import DEVIATION
from bms_forecast.grid import ID, VALUE, WHEN

# Fewest readings of a target that a forecast is built on.
FEWEST_READINGS = 8


def find_cell(frame: pd.DataFrame, cell_id: str) -> str:
    """Return the canonical id of a cell named in full, or by its number where only one string has it.

    Raises:
        UnknownName: no such cell, or several; the message lists the candidates.
    """
    known = sorted(frame[CELL_ID].astype(str).unique())
    wanted = cell_id.strip()
    if wanted in known:
        return wanted
    numbered = [name for name in known if name.rsplit("/", 1)[-1] == wanted]
    if len(numbered) == 1:
        return numbered[0]
    raise UnknownName.among("cell", cell_id, numbered or known)


def up_to_last_reading(frame: pd.DataFrame, cell: str) -> pd.DataFrame:
    """Return the rows with a time stamp up to the cell's last one: the forecast knows nothing later.

    Raises:
        NotEnoughData: the cell has no row with a time stamp.
    """
    timed = frame[frame[TIMESTAMP].notna()]
    last = timed.loc[timed[CELL_ID].astype(str) == cell, TIMESTAMP].max()
    if pd.isna(last):
        raise NotEnoughData(
            f"Cell '{cell}' has no row with a time stamp.",
            expected="a dated history",
            fix="Export the times too.",
        )
    return timed[timed[TIMESTAMP] <= last].reset_index(drop=True)


def targets_of(frame: pd.DataFrame, cell: str) -> tuple[list[str], list[str]]:
    """Return (targets with enough readings of the cell, measured columns with too few).

    Raises:
        NotEnoughData: no target has enough readings.
    """
    own = frame[frame[CELL_ID].astype(str) == cell]
    counts = {name: int(own[name].notna().sum()) for name in MEASURED_NAMES if name in own}
    distinct = {name: own.loc[own[name].notna(), TIMESTAMP].nunique() for name in counts}
    enough = [name for name in counts if min(counts[name], distinct[name]) >= FEWEST_READINGS]
    if not enough:
        most = max(distinct.values(), default=0)
        raise NotEnoughData(
            f"Cell '{cell}' has at most {most} dated readings of any target.",
            expected=f"at least {FEWEST_READINGS}",
            fix="Pass a longer history, or another cell.",
        )
    return enough, [name for name in counts if name not in enough]


def known_to_model(
    wanted: Sequence[str], trained: Collection[str] | None, whose: str
) -> tuple[list[str], list[str]]:
    """Return (targets that the model was trained on, warnings about the others).

    Args:
        wanted: Targets with readings.
        trained: Targets of the stored model; None where one is trained now, which knows all.
        whose: Whose targets these are, in words.

    Raises:
        ModelError: the model knows none of them.
    """
    known = [name for name in wanted if trained is None or name in trained]
    if trained is not None and not known:
        raise ModelError(
            f"The model knows none of {whose} targets.", expected=", ".join(trained), fix="Train again."
        )
    missing = [name for name in wanted if name not in known]
    return known, [f"{name}: the model was not trained on it, not forecast" for name in missing]


class TargetFrames:
    """Makes tidy frames of one table; the string's moments are found once.

    What is the same in all cells of a string at every moment, as the current is, is one series of that string: a
    copy per cell would count as so many independent observations.

    Args:
        frame: Canonical frame, rows with time stamps only.
        prefer: The cell that stands for its string in such a series; else the one read longest and most often.
    """

    def __init__(self, frame: pd.DataFrame, prefer: str = "") -> None:
        self._frame, self._moments, self._prefer = frame, moment_codes(frame), prefer
        self._cells = frame[CELL_ID].astype(str)
        self._compared: dict[str, tuple[np.ndarray, pd.Series]] = {}

    def tidy(self, target: str) -> pd.DataFrame:
        """Return `unique_id, string, ds, y` of every series, the other measured columns and the string deviation.

        `IsDead` and every carried column stay out.
        """
        frame = self._frame
        values = frame[target].to_numpy(dtype=float)
        deviation, shared = self._against_string(target)
        strings = frame[STRING].astype(str)
        tidy = pd.DataFrame({ID: self._cells, STRING: strings, WHEN: frame[TIMESTAMP], VALUE: values})
        for name in MEASURED_NAMES:
            if name in frame and name != target:
                tidy[name] = frame[name].to_numpy(dtype=float)
        if not shared.all() and np.nanmax(np.abs(deviation), initial=0.0) > 0:
            tidy[DEVIATION] = deviation
        if not shared.any():
            return tidy
        median = string_median(values, self._moments)
        tidy.loc[shared, VALUE] = np.where(np.isfinite(median), median, values)[shared]
        stands = self._cells.isin(self._representatives(shared).unique())
        return tidy[(~shared | stands).to_numpy()].reset_index(drop=True)

    def members(self, target: str) -> dict[str, list[str]]:
        """Return {series: its cells}; more than one where all cells of a string read the same."""
        shared = self._against_string(target)[1]
        series = self._cells.where(~shared, self._representatives(shared))
        pairs = pd.DataFrame({"series": series, "cell": self._cells}).drop_duplicates()
        return {str(name): sorted(own["cell"]) for name, own in pairs.groupby("series", sort=True)}

    def _against_string(self, target: str) -> tuple[np.ndarray, pd.Series]:
        """Return each row's deviation from its string's median, and whether its string shares one reading."""
        if target not in self._compared:
            values = self._frame[target].to_numpy(dtype=float)
            deviation = string_deviation(values, self._moments, 1.0)[0]
            self._compared[target] = deviation, self._shared(deviation)
        return self._compared[target]

    def _shared(self, deviation: np.ndarray) -> pd.Series:
        """Return which rows belong to a string whose cells agree wherever two of them were read, shape (n,)."""
        strings = self._frame[STRING]
        compared = pd.Series(np.isfinite(deviation), index=strings.index).groupby(strings).transform("any")
        apart = pd.Series(np.abs(deviation), index=strings.index).groupby(strings).transform("max")
        cells = self._cells.groupby(strings).transform("nunique")
        return compared & (apart == 0) & (cells > 1)

    def _representatives(self, shared: pd.Series) -> pd.Series:
        """Return for each row the cell that stands for its string, NaN where the string shares nothing."""
        rows = self._frame.loc[shared, [STRING, TIMESTAMP]].assign(cell=self._cells[shared])
        cells = rows.groupby([STRING, "cell"])[TIMESTAMP].agg(["max", "size"]).reset_index()
        cells["asked"] = cells["cell"] == self._prefer
        best = cells.sort_values(["asked", "max", "size", "cell"], ascending=[False, False, False, True])
        return self._frame[STRING].map(best.drop_duplicates(STRING).set_index(STRING)["cell"])
