"""The way back: from `<name>_scaled` to readings and features in physical units."""

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import to_numbers
from bms_schema.run.errors import MissingColumn, ModelError

from bms_preprocess.scaling import SCALED_SUFFIX, FittedScaler

MEAN_FILLED = "mean_filled"
# A table written as text and read again differs by rounding only.
_ROUNDING = 1e-12


def unscale(frame: pd.DataFrame, fitted: FittedScaler) -> tuple[pd.DataFrame, int]:
    """Return the table in physical units, and how many values in it are column means that filled a gap.

    Every `<name>_scaled` becomes `<name>` (float64); other columns stay as they are. The last column,
    `mean_filled`, names the columns of a row that hold such a mean, separated by ";". A mean that equals the
    median cannot be told from a reading, as in a column that never changes, and is not named. Row by row.

    Args:
        frame: A scaled table, or some of its columns; numbers, or text as read from a file.
        fitted: The scaler it was scaled with.

    Raises:
        MissingColumn: there is nothing scaled in the table.
        ModelError: a scaled column that the scaler does not know.
    """
    scaled = [str(name) for name in frame if str(name).endswith(SCALED_SUFFIX)]
    _check_known(scaled, list(frame), fitted)
    columns = {name: frame[name] for name in frame if name not in scaled}
    names, gaps = [], []
    for name, center, width, filling in fitted.figures():
        if name + SCALED_SUFFIX in scaled:
            values = to_numbers(frame[name + SCALED_SUFFIX])[0].to_numpy()
            columns[name] = values * width + center
            names.append(name)
            with np.errstate(invalid="ignore"):
                same = np.abs(values - filling) <= _ROUNDING * max(1.0, abs(filling))
            gaps.append(same & (filling != 0.0))
    filled = np.stack(gaps, axis=1)
    columns[MEAN_FILLED] = _named(filled, names)
    return pd.DataFrame(columns, index=frame.index), int(filled.sum())


def _check_known(scaled: list[str], names: list[str], fitted: FittedScaler) -> None:
    if not scaled:
        raise MissingColumn(
            f"The table has no column '<name>{SCALED_SUFFIX}'. It has: {', '.join(map(str, names[:10]))}.",
            expected="the scaled table of preprocessing",
            fix="Pass scaled_csv, or the csv of impute_and_scale_battery_data.",
        )
    unknown = [name for name in scaled if name.removesuffix(SCALED_SUFFIX) not in fitted.columns]
    if unknown:
        raise ModelError(
            f"The scaler does not know {', '.join(unknown[:5])}{', …' if len(unknown) > 5 else ''}.",
            expected="the scaler that the table was scaled with",
            fix="Name its model_version: it stands in the manifest.json beside the table.",
        )


def _named(filled: np.ndarray, names: list[str]) -> np.ndarray:
    """Return for each row the names of its filled columns, shape (rows,); `filled` is (rows, columns)."""
    patterns, pattern = np.unique(np.packbits(filled, axis=1), axis=0, return_inverse=True)
    marked = np.unpackbits(patterns, axis=1, count=len(names)).astype(bool)
    texts = [";".join(name for name, mark in zip(names, row, strict=True) if mark) for row in marked]
    return np.array(texts, dtype=object)[pattern.ravel()]
