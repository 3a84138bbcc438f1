"""From text to readings: numbers, sentinels, units and implausible values, each with the reason for its change.

No row is ever dropped. A reading that is no reading becomes missing, and `<column>_flag` says why; a reading
that was converted keeps its value, and `<column>_flag` says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bms_schema.data.columns import COLUMNS, MEASURED_NAMES, Column, flag_of
from bms_schema.data.corrections import Conversion, Wrap
from bms_schema.data.text import BLANK_TEXT, FULL_SCALE, NO_NUMBER, distinct_text, parse_numbers

OK, IMPUTED = "", "imputed"
BLANK, NOT_A_NUMBER, SENTINEL, OUT_OF_RANGE = "blank", "not_a_number", "sentinel", "out_of_range"
SPIKE, STUCK = "spike", "stuck"
UNIT_CONVERTED, SIGN_RESTORED = "unit_converted", "sign_restored"
LOST = (BLANK, NOT_A_NUMBER, SENTINEL, OUT_OF_RANGE, SPIKE, STUCK)  # the reading is missing
CHANGED = (UNIT_CONVERTED, SIGN_RESTORED)  # the reading is there, otherwise than in the file
FLAGS = (OK, *LOST, *CHANGED, IMPUTED)
FLAG_TYPE = pd.CategoricalDtype(list(FLAGS))
_CODE = {flag: np.int8(code) for code, flag in enumerate(FLAGS)}
_SENTINEL_RELATIVE_TOLERANCE = 1e-6  # float32 exports: 65.535 is written 65.53500366


@dataclass(frozen=True)
class NumberRule:
    """How one column's numbers become readings; decided once for a table.

    Args:
        name: Canonical name.
        low: Lowest plausible reading, in the canonical unit.
        high: Highest plausible reading.
        wrap: The lost sign to give back first, if any.
        conversion: The unit to convert from, if any.
        usual: What readings of the column usually are: in a converted column a whole number like 32767 or
            255 is "no answer" only where it would come out beyond.
        zero_is_absent: The column says nothing but 0: its probe was never fitted.
    """

    name: str
    low: float
    high: float
    wrap: Wrap | None = None
    conversion: Conversion | None = None
    usual: tuple[float, float] = (0.0, 0.0)
    zero_is_absent: bool = False

    def apply(
        self, written: np.ndarray, kinds: np.ndarray, earlier: pd.Series | None = None
    ) -> tuple[np.ndarray, pd.Categorical]:
        """Return readings (float64, NaN where none) and their flags.

        Args:
            written: Numbers as the file has them, NaN where none.
            kinds: From `parse_numbers`.
            earlier: The flags of a table that was cleaned before: they keep their reasons.
        """
        sentinel = is_sentinel(written, COLUMNS[self.name]) | (kinds == FULL_SCALE)
        readings, restored = written, np.zeros(written.shape, dtype=bool)
        if self.wrap:
            full_scale = np.abs(written - 65535 * self.wrap.step) < self.wrap.step / 2
            sentinel &= ~(full_scale & self.wrap.full_scale_is_reading)
            restored = self.wrap.wrapped(written) & ~sentinel
            readings = np.where(restored, self.wrap.apply(written), written)
        if self.conversion:
            readings = self.conversion.apply(readings)
            usual = (readings >= self.usual[0]) & (readings <= self.usual[1])
            sentinel &= ~(usual & (written == np.rint(written)))
        if self.zero_is_absent:
            sentinel |= written == 0.0
        outside = ((readings < self.low) | (readings > self.high)) & ~sentinel

        codes = np.full(len(written), _CODE[UNIT_CONVERTED if self.conversion else OK])
        codes[restored] = _CODE[SIGN_RESTORED]
        codes[outside] = _CODE[OUT_OF_RANGE]
        codes[kinds == BLANK_TEXT] = _CODE[BLANK]
        codes[kinds == NO_NUMBER] = _CODE[NOT_A_NUMBER]
        codes[sentinel] = _CODE[SENTINEL]
        if earlier is not None:
            codes = _with_earlier(codes, earlier)
        missing = sentinel | outside
        if missing.any():
            readings = np.where(missing, np.nan, readings)
        return readings, pd.Categorical.from_codes(codes, dtype=FLAG_TYPE)  # type: ignore[arg-type]


def _with_earlier(codes: np.ndarray, earlier: pd.Series) -> np.ndarray:
    """Keep the reasons a cleaned table carries: for what is missing now, and for kept but changed values."""
    places, texts = distinct_text(earlier)
    known = np.array([*(_CODE.get(text, _CODE[OK]) for text in texts), _CODE[OK]], dtype="int8")[places]
    lost = np.isin(known, [_CODE[flag] for flag in LOST])
    kept = np.isin(known, [_CODE[flag] for flag in (*CHANGED, IMPUTED)])
    return np.where((codes == _CODE[BLANK]) & lost | (codes == _CODE[OK]) & kept, known, codes)


def to_numbers(column: pd.Series, *, decimal_comma: bool = False) -> tuple[pd.Series, np.ndarray]:
    """Parse a column of text (or numbers) to float64.

    Returns:
        The numbers, NaN where there is none (±inf counts as none), and a boolean mask of the values that
        were there but are no numbers.
    """
    numbers, kinds = parse_numbers(column, decimal_comma=decimal_comma)
    return pd.Series(numbers, index=column.index, name=column.name), np.isin(kinds, (NO_NUMBER, FULL_SCALE))


def is_sentinel(values: np.ndarray, column: Column) -> np.ndarray:
    """Return where `values` (1-d float) equal one of the column's sentinels.

    >>> is_sentinel(np.array([2.2, 65.535, np.nan]), COLUMNS["CellVoltage"]).tolist()
    [False, True, False]
    """
    found = np.zeros(values.shape, dtype=bool)
    if column.sentinels:
        sentinels = np.sort(column.sentinels)
        # Readings are mostly smaller than any sentinel: look closer at the few that are not.
        smallest = np.abs(sentinels).min() * (1 - _SENTINEL_RELATIVE_TOLERANCE)
        with np.errstate(invalid="ignore"):
            large = np.flatnonzero(np.abs(values) >= smallest)
        near = nearest(sentinels, values[large])
        found[large] = np.abs(values[large] - near) <= _SENTINEL_RELATIVE_TOLERANCE * np.abs(near)
    return found


def nearest(sorted_values: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return for each of `values` the nearest of `sorted_values` (at least one)."""
    place = np.searchsorted(sorted_values, values)
    below = sorted_values[np.maximum(place - 1, 0)]
    above = sorted_values[np.minimum(place, len(sorted_values) - 1)]
    return np.where(np.abs(values - below) <= np.abs(above - values), below, above)


def without_imputed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with filled-in values taken out again: what nobody measured is no evidence."""
    measured = [name for name in MEASURED_NAMES if name in frame and flag_of(name) in frame]
    imputed = {name: frame[flag_of(name)].astype(str).eq(IMPUTED) for name in measured}
    return frame.assign(**{name: frame[name].mask(where) for name, where in imputed.items() if where.any()})


def count_flags(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return {column: {reason: readings}} of everything that is not a plain reading."""
    counts = {name: frame[flag_of(name)].value_counts() for name in names}
    return {
        name: {str(flag): int(n) for flag, n in found.items() if flag != OK and n}
        for name, found in counts.items()
    }
