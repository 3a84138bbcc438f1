"""From wide to long: a table with one column per cell brought to one row per cell and time."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from bms_schema.data.cleaning import is_sentinel, to_numbers
from bms_schema.data.columns import COLUMNS, SOURCE_ROW, TEMPERATURE
from bms_schema.data.wide_layout import CELL_NUMBER, WideLayout, carries_source_row, find_wide

__all__ = ["WideLayout", "find_wide", "melt", "probes_that_read"]

# A probe that is not fitted reads full scale (8 or 9 bits) or nothing at all (seen in EV logs).
_NOT_FITTED = (255.0, 511.0)


def melt(
    chunk: pd.DataFrame, layout: WideLayout, *, first_row: int = 0, decimal_comma: bool = False
) -> pd.DataFrame:
    """Bring rows of a wide table to one row per cell: in (row, cell) order, with a 0…n-1 index.

    Args:
        chunk: Rows of the wide table.
        layout: What `find_wide` found for its names.
        first_row: Number of the first row in the whole table, for `source_row`.
        decimal_comma: Whether numbers are text like `2,23`.

    Returns:
        `source_row`, `CellNumber` (text), the cells' columns as they stood, then every other column repeated.
        `CellTemperature` is float64 where it is a median of probes; a row without any reading keeps what
        a probe said.
    """
    rows, cells = len(chunk), len(layout.numbers)
    repeated = np.repeat(np.arange(rows), cells)
    columns: dict[str, object] = {}
    if not carries_source_row(list(chunk.columns)):
        columns[SOURCE_ROW] = repeated + first_row
    labels = pd.array([str(number) for number in layout.numbers], dtype="string[pyarrow]")
    columns[CELL_NUMBER] = labels.take(np.tile(np.arange(cells), rows))
    for name, sources in layout.per_cell.items():
        columns[name] = _interleave(chunk, sources)
    if layout.probes:
        fitted = [name for name in layout.probes if name not in layout.idle] or list(layout.probes)
        columns[TEMPERATURE] = median_of_probes(chunk[fitted], decimal_comma)[repeated]
    renamed = dict(layout.renamed)
    for name in chunk.columns:
        if name not in layout.dropped:
            columns[renamed.get(name, name)] = chunk[name].array.take(repeated)
    return pd.DataFrame(columns)


def median_of_probes(probes: pd.DataFrame, decimal_comma: bool) -> np.ndarray:
    """Return the median of each row's readings [as in the file]; values that say "no probe" are left out.

    Where no probe gave a reading, the greatest of such values stays, so that its reason is judged later.
    """
    values = _numbers(probes, decimal_comma)
    ordered = np.sort(np.where(_is_reading(values), values, np.nan), axis=1)  # NaN comes last
    count = np.isfinite(ordered).sum(axis=1)
    rows = np.arange(len(ordered))
    middle = (ordered[rows, np.maximum(count - 1, 0) // 2] + ordered[rows, count // 2]) / 2
    medians: np.ndarray = np.where(count > 0, middle, np.fmax.reduce(values, axis=1))
    return medians


def probes_that_read(probes: pd.DataFrame, decimal_comma: bool) -> set[str]:
    """Return the probes that show a reading other than 0 in these rows."""
    values = _numbers(probes, decimal_comma)
    shown = (_is_reading(values) & (values != 0.0)).any(axis=0)
    return {str(name) for name, seen in zip(probes.columns, shown, strict=True) if seen}


def _interleave(chunk: pd.DataFrame, sources: Sequence[str | None]) -> ExtensionArray | np.ndarray:
    """Lay the columns of the cells side by side, row after row."""
    dtype = next(chunk[name].dtype for name in sources if name)
    blank = pd.Series(
        np.nan, index=chunk.index, dtype=dtype if isinstance(dtype, pd.StringDtype) else "float64"
    )
    columns = [chunk[name] if name else blank for name in sources]
    order = np.arange(len(chunk) * len(columns)).reshape(len(columns), len(chunk)).T.ravel()
    long: ExtensionArray | np.ndarray = pd.concat(columns, ignore_index=True).array.take(order)
    return long


def _is_reading(values: np.ndarray) -> np.ndarray:
    no_answer = is_sentinel(values.ravel(), COLUMNS[TEMPERATURE]).reshape(values.shape)
    return np.asarray(np.isfinite(values) & ~np.isin(values, _NOT_FITTED) & ~no_answer)


def _numbers(frame: pd.DataFrame, decimal_comma: bool) -> np.ndarray:
    """Parse columns to a (rows, columns) float64 array; what is no number is NaN."""
    values = np.empty(frame.shape)
    for place, name in enumerate(frame):
        values[:, place] = to_numbers(frame[name], decimal_comma=decimal_comma)[0]
    return values
