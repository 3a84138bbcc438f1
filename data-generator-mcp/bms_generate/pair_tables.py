"""Two columns of the real and the synthetic table, binned and counted alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from bms_schema.run.errors import InvalidArgument, NotEnoughData

from bms_generate.associations import as_numbers, correlation, correlation_ratio, cramers_v
from bms_generate.findings import as_labels, column_state
from bms_generate.plot_text import axis_label
from bms_generate.plots import OTHERS

PairForm = Literal["density", "band", "boxes", "shares"]
SIDES = ("real", "synthetic")
QUANTILES = {"low": 0.05, "quarter": 0.25, "median": 0.5, "three_quarters": 0.75, "high": 0.95}
_BINS, _TIME_BINS, _TIME_LABELS = 40, 60, 12
_MOST_BOXES, _MOST_SHARES = 8, 12
_FEWEST_PAIRS = 3
# A range this many times that of the inner 99 % of the values is cut to it: one outlier would squeeze the rest.
_LONG_TAIL, _INNER = 4.0, (0.005, 0.995)
_PLACE = {"categorical": 0, "datetime": 1, "numerical": 2}  # lowest on the horizontal axis
_REASONS = {
    "identifier": "is an identifier or a remark, of which nearly every row has its own",
    "constant": "has one value only",
    "missing": "has no value in one of the tables",
}


@dataclass(frozen=True)
class Pair:
    """Two columns of both tables, ready to draw.

    Args:
        form: density: two numbers (or times); band: a number over time; boxes: a number by label; shares: two
            labels.
        x: Label of the horizontal axis.
        y: Label of the vertical axis.
        table: density: `side`, `x_left`, `x_right`, `y_left`, `y_right`, `share`; shares: `side`, `x`, `y`,
            `share`; band: `side`, `time` and the `QUANTILES`; boxes: `side`, `x`, `share` and the `QUANTILES`.
        finding: How strongly the columns hang together, real and synthetic, in a sentence.
    """

    form: PairForm
    x: str
    y: str
    table: pd.DataFrame
    finding: str


def prepare_pair(
    real: pd.DataFrame, synthetic: pd.DataFrame, specs: dict[str, dict[str, Any]], first: str, second: str
) -> Pair:
    """Compare two columns of both tables over the rows that have both.

    Args:
        real: The real table, typed.
        synthetic: The synthetic one.
        specs: The table's `columns` of the metadata.
        first: A column, drawn along the horizontal axis if both are of a kind.
        second: Another one.

    Raises:
        InvalidArgument: one column twice, or one without a distribution.
        NotEnoughData: fewer than 3 rows have both.
    """
    states = {name: _require_values(real[name], synthetic[name], specs[name]) for name in (first, second)}
    if first == second:
        raise InvalidArgument(
            f"second_column is '{second}' too.",
            expected="another column",
            fix="Leave it out to see one column.",
        )
    x, y = sorted((first, second), key=lambda name: _PLACE[states[name]])
    sides = {side: frame[[x, y]].dropna() for side, frame in zip(SIDES, (real, synthetic), strict=True)}
    for side, rows in sides.items():
        if len(rows) < _FEWEST_PAIRS:
            raise NotEnoughData(
                f"Only {len(rows)} {side} rows have both '{x}' and '{y}'.",
                expected=f"at least {_FEWEST_PAIRS}",
                fix="Choose other columns.",
            )
    labels = {name: states[name] == "categorical" for name in (x, y)}
    if labels[x] and labels[y]:
        return _shares(sides, x, y)
    if labels[x]:
        return _boxes(sides, x, y) if states[y] == "numerical" else _shares(_time_as_label(sides, y), y, x)
    if states[x] == "datetime" and states[y] == "numerical":
        return _band(sides, x, y)
    return _density(sides, x, y)


def _require_values(real: pd.Series, synthetic: pd.Series, spec: dict[str, Any]) -> str:
    state = column_state(real, synthetic, spec)
    if state in _REASONS:
        raise InvalidArgument(
            f"'{real.name}' {_REASONS[state]}, so it makes no pair.",
            expected="two columns of numbers, times or labels",
            fix="Choose another one; alone it can be looked at.",
        )
    return state


def _as_shown(edges: np.ndarray, column: pd.Series) -> Any:
    return pd.to_datetime(edges.astype("int64")) if pd.api.types.is_datetime64_any_dtype(column) else edges


def _edges(sides: dict[str, pd.DataFrame], name: str, bins: int) -> np.ndarray:
    values = np.concatenate([as_numbers(rows[name]) for rows in sides.values()]).astype("float64")
    low, high = values.min(), values.max()
    inner = np.quantile(values, _INNER)
    if high - low > _LONG_TAIL * (inner[1] - inner[0]) > 0:
        low, high = inner
    return np.linspace(low, high if high > low else low + 1.0, bins + 1)


def _density(sides: dict[str, pd.DataFrame], x: str, y: str) -> Pair:
    x_edges, y_edges = _edges(sides, x, _BINS), _edges(sides, y, _BINS)
    parts, beyond = [], []
    for side, rows in sides.items():
        counts = np.histogram2d(as_numbers(rows[x]), as_numbers(rows[y]), [x_edges, y_edges])[0] / len(rows)
        beyond.append(1.0 - counts.sum())
        across, up = np.divmod(np.arange(counts.size), _BINS)
        shown_x, shown_y = _as_shown(x_edges, rows[x]), _as_shown(y_edges, rows[y])
        cells = {
            "x_left": shown_x[across],
            "x_right": shown_x[across + 1],
            "y_left": shown_y[up],
            "y_right": shown_y[up + 1],
        }
        parts.append(pd.DataFrame({"side": side, **cells, "share": counts.ravel()}))
    finding = _in_words(sides, x, y, "correlation", correlation)
    if max(beyond) > 1e-9:
        finding += f"; {beyond[0]:.1%} and {beyond[1]:.1%} of the rows lie outside the frame"
    return Pair("density", axis_label(x), axis_label(y), pd.concat(parts, ignore_index=True), finding)


def _band(sides: dict[str, pd.DataFrame], x: str, y: str) -> Pair:
    edges = _edges(sides, x, _TIME_BINS)
    centres = pd.to_datetime(((edges[:-1] + edges[1:]) / 2).astype("int64"))
    parts = []
    for side, rows in sides.items():
        table = _quantiles(rows[y], _places(rows[x], edges)).reindex(range(_TIME_BINS))
        parts.append(table.assign(side=side, time=centres))
    finding = _in_words(sides, x, y, "correlation with time", correlation)
    return Pair("band", axis_label(x), axis_label(y), pd.concat(parts, ignore_index=True), finding)


def _boxes(sides: dict[str, pd.DataFrame], x: str, y: str) -> Pair:
    texts = {side: as_labels(rows[x]) for side, rows in sides.items()}
    shown = _most_frequent(texts["real"], _MOST_BOXES)
    parts = []
    for side, rows in sides.items():
        table = _quantiles(rows[y], texts[side]).reindex(shown)
        shares = texts[side].value_counts(normalize=True).reindex(shown).fillna(0.0)
        parts.append(table.assign(side=side, x=shown, share=shares))
    named = {side: pd.DataFrame({x: texts[side], y: rows[y]}) for side, rows in sides.items()}
    finding = _in_words(named, x, y, "correlation ratio", correlation_ratio)
    return Pair("boxes", axis_label(x), axis_label(y), pd.concat(parts, ignore_index=True), finding)


def _quantiles(values: pd.Series, by: Any) -> pd.DataFrame:
    groups = values.astype("float64").groupby(by)
    return pd.DataFrame({name: groups.quantile(level) for name, level in QUANTILES.items()})


def _shares(sides: dict[str, pd.DataFrame], x: str, y: str) -> Pair:
    named = {
        side: pd.DataFrame({name: as_labels(rows[name]) for name in (x, y)}) for side, rows in sides.items()
    }
    finding = _in_words(named, x, y, "Cramér's V", cramers_v)
    shown = {name: _most_frequent(named["real"][name], _MOST_SHARES) for name in (x, y)}
    parts = []
    for side, rows in named.items():
        kept = {name: rows[name].where(rows[name].isin(shown[name]), OTHERS) for name in (x, y)}
        table = pd.crosstab(kept[x], kept[y], normalize="all")
        across, up = (_with_others(shown[name], sides=named, name=name) for name in (x, y))
        whole = table.reindex(index=across, columns=up, fill_value=0.0).to_numpy()
        places = {"x": np.repeat(across, len(up)), "y": np.tile(up, len(across))}
        parts.append(pd.DataFrame({"side": side, **places, "share": whole.ravel()}))
    return Pair("shares", axis_label(x), axis_label(y), pd.concat(parts, ignore_index=True), finding)


def _most_frequent(labels: pd.Series, most: int) -> list[str]:
    return sorted(labels.value_counts().index[:most], key=_by_number)


def _by_number(label: str) -> tuple[float, str]:
    number = pd.to_numeric(label, errors="coerce")
    return (float(number) if np.isfinite(number) else np.inf, label)


def _with_others(shown: list[str], *, sides: dict[str, pd.DataFrame], name: str) -> list[str]:
    rest = any(not rows[name].isin(shown).all() for rows in sides.values())
    return [*shown, OTHERS] if rest else shown


def _time_as_label(sides: dict[str, pd.DataFrame], time: str) -> dict[str, pd.DataFrame]:
    """Return the rows with the start of its stretch of time in the place of each time."""
    edges = _edges(sides, time, _TIME_LABELS)
    starts = pd.to_datetime(edges[:-1].astype("int64")).strftime("%Y-%m-%d %H:%M")
    return {side: rows.assign(**{time: starts[_places(rows[time], edges)]}) for side, rows in sides.items()}


def _places(column: pd.Series, edges: np.ndarray) -> np.ndarray:
    return np.clip(np.searchsorted(edges, as_numbers(column), side="right") - 1, 0, len(edges) - 2)


def _in_words(sides: dict[str, pd.DataFrame], x: str, y: str, measure: str, of: Any) -> str:
    strengths = [of(rows[x], rows[y]) for rows in sides.values()]
    told = [f"{strength:.3f}" if np.isfinite(strength) else "undefined" for strength in strengths]
    rows = [f"{len(side):,}" for side in sides.values()]
    return f"{measure} real {told[0]}, synthetic {told[1]} ({rows[0]} and {rows[1]} rows have both)"
