"""What a comparison of two columns shows, said in a sentence."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from bms_schema.run.wording import counted

from bms_generate.known_names import unit_of
from bms_generate.made_up import is_made_up, mostly_distinct

ColumnState = Literal["numerical", "datetime", "categorical", "identifier", "constant", "missing"]
_LONGEST_VALUE = 40


def column_state(real: pd.Series, synthetic: pd.Series, spec: dict[str, Any]) -> ColumnState:
    """Return what there is to compare: a distribution, or what stands in for one.

    Args:
        real: The real column, typed.
        synthetic: The synthetic one.
        spec: Its entry in the metadata.
    """
    if not (real.notna().any() and synthetic.notna().any()):
        return "missing"
    if is_made_up(spec):
        return "identifier"
    if len(real.dropna().unique()) == 1:
        return "constant"
    sdtype = spec["sdtype"]
    if sdtype in ("numerical", "datetime"):
        return sdtype
    return "identifier" if mostly_distinct(real) else "categorical"  # remarks are shown to nobody


def find_out(real: pd.Series, synthetic: pd.Series, state: ColumnState) -> str:
    """Say how the present values of two columns compare; for `missing`, that there is nothing to compare."""
    if state == "missing":
        empty = [which for which, column in _both(real, synthetic) if not column.notna().any()]
        return f"the {' and the '.join(empty)} column has no value, so there is no distribution to compare"
    return _FINDERS[state](real.dropna(), synthetic.dropna())


def missing_in_words(real: pd.Series, synthetic: pd.Series) -> str:
    """Say what share of two columns is missing.

    >>> missing_in_words(pd.Series([1.0, None]), pd.Series([1.0, 2.0, 3.0, None]))
    '50.0 % real and 25.0 % synthetic missing'
    """
    shares = [column.isna().mean() for column in (real, synthetic)]
    if not any(shares):
        return "none missing"
    return f"{_percent(shares[0])} real and {_percent(shares[1])} synthetic missing"


def as_labels(column: pd.Series) -> pd.Series:
    """Return the present values as text; `1` and `1.0` are the same label.

    >>> as_labels(pd.Series([1.0, None, 2.0])).tolist()
    ['1', '2']
    """
    present = column.dropna()
    if pd.api.types.is_float_dtype(present) and (present == present.round()).all():
        present = present.astype("int64")
    if pd.api.types.is_datetime64_any_dtype(present):
        return present.map(str)  # pandas leaves midnight out only where all of a column is
    return present.astype(str)


def largest_gap(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Return the largest difference of two cumulative distributions (Kolmogorov-Smirnov), 0 to 1.

    1 minus it is SDV's column shape of numbers and times.

    >>> largest_gap(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 4.0]))
    0.5
    """
    places = np.concatenate([real, synthetic])
    shares = [np.searchsorted(np.sort(side), places, side="right") / len(side) for side in (real, synthetic)]
    return float(np.abs(shares[0] - shares[1]).max())


def _both(real: pd.Series, synthetic: pd.Series) -> list[tuple[str, pd.Series]]:
    return [("real", real), ("synthetic", synthetic)]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _numbers(real: pd.Series, synthetic: pd.Series) -> str:
    unit = f" {unit_of(str(real.name))}".rstrip()
    medians = [f"{column.median():.4g}{unit}" for column in (real, synthetic)]
    middles = [
        " to ".join(f"{edge:.4g}" for edge in column.quantile([0.05, 0.95])) for column in (real, synthetic)
    ]
    gap = largest_gap(real.to_numpy("float64"), synthetic.to_numpy("float64"))
    return (
        f"real median {medians[0]}, synthetic {medians[1]}; middle 90 % {middles[0]} and {middles[1]}; "
        f"cumulative shares differ by {_percent(gap)} at most"
    )


def _times(real: pd.Series, synthetic: pd.Series) -> str:
    spans = [
        f"{column.min():%Y-%m-%d %H:%M} to {column.max():%Y-%m-%d %H:%M}" for column in (real, synthetic)
    ]
    gap = largest_gap(real.astype("int64").to_numpy(), synthetic.astype("int64").to_numpy())
    return f"real {spans[0]}, synthetic {spans[1]}; cumulative shares differ by {_percent(gap)} at most"


def _labels(real: pd.Series, synthetic: pd.Series) -> str:
    shares = pd.DataFrame(
        {which: as_labels(column).value_counts(normalize=True) for which, column in _both(real, synthetic)}
    ).fillna(0.0)
    top = shares.sort_values("real", ascending=False, kind="stable").iloc[0]
    moved = (shares["real"] - shares["synthetic"]).abs().sum() / 2
    counts = [int((shares[which] > 0).sum()) for which in ("real", "synthetic")]
    return (
        f"'{str(top.name)[:_LONGEST_VALUE]}' has {_percent(top['real'])} real and "
        f"{_percent(top['synthetic'])} synthetic; {_percent(moved)} of the rows would have to change label; "
        f"{counted(counts[0], 'label')} real, {counts[1]:,} synthetic"
    )


def _identifiers(real: pd.Series, synthetic: pd.Series) -> str:
    sides = [as_labels(column).value_counts() for column in (real, synthetic)]
    told = [
        f"{which} {counted(len(side), 'different value')} in {counted(int(side.sum()), 'row')} "
        f"(rows of each in the median: {side.median():.4g})"
        for which, side in zip(("real", "synthetic"), sides, strict=True)
    ]
    known = sides[1].index.isin(sides[0].index)
    overlap = (
        f"{int(known.sum()):,} of {len(known):,} synthetic ones are real ones"
        if known.any()
        else "no synthetic one is a real one"
    )
    if known.any() and sides[1].index.str.fullmatch(r"\d+").all():
        overlap += ", but they are plain numbers, which any count would repeat"
    return f"{told[0]}, {told[1]}; {overlap}"


def _constants(real: pd.Series, synthetic: pd.Series) -> str:
    value = as_labels(real).iloc[0]
    different = float((as_labels(synthetic) != value).mean())
    told = "so has the synthetic one" if not different else f"{_percent(different)} of the synthetic differ"
    return f"the real column has one value, '{value[:_LONGEST_VALUE]}', and {told}"


_FINDERS = {
    "numerical": _numbers,
    "datetime": _times,
    "categorical": _labels,
    "identifier": _identifiers,
    "constant": _constants,
}
