"""Real against synthetic, one column: `prepare_*` makes a table, `draw_*` renders it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from bms_schema.data.columns import COLUMNS, match_columns
from bms_schema.run.errors import InvalidArgument, NotEnoughData
from bms_schema.run.plot_theme import COLOURS, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure

Kind = Literal["numerical", "datetime", "categorical"]
REAL, SYNTHETIC = COLOURS["blue"], COLOURS["orange"]
_FEWEST_BINS, _MOST_BINS, _MOST_BARS = 10, 50, 20
_HALF_DAY_NS = 12 * 3600 * 10**9  # a lone time stamp stands in a day
OTHERS = "(others)"


@dataclass(frozen=True)
class Comparison:
    """The distributions of one column, ready to draw.

    Args:
        title: Table and column.
        label: Axis label with the unit.
        kind: How to draw it.
        table: Columns `real`, `synthetic`: share of the present values. numerical and datetime: `left`,
            `right` edges of the bin; categorical: `label`, most frequent real one first.
        caption: Row counts and missing shares.
    """

    title: str
    label: str
    kind: Kind
    table: pd.DataFrame
    caption: str


def axis_label(name: str) -> str:
    """Return the label with unit where the column table knows the column, else its own name."""
    known = match_columns([name])
    return COLUMNS[next(iter(known))].axis_label if known else name


def prepare_comparison(real: pd.Series, synthetic: pd.Series, spec: dict[str, Any], title: str) -> Comparison:
    """Bin or count a column of both tables over the same bins or labels.

    Raises:
        InvalidArgument: an identifier, which has no distribution.
        NotEnoughData: all values are missing in one of the two.
    """
    sdtype, name = spec["sdtype"], str(real.name)
    if sdtype == "id" or spec.get("pii"):
        raise InvalidArgument(
            f"'{name}' is an identifier ({sdtype}): its synthetic values are made up, without distribution.",
            expected="a numerical, datetime, categorical, ordinal or boolean column",
            fix="Choose another column.",
        )
    for which, column in (("real", real), ("synthetic", synthetic)):
        if not column.notna().any():
            raise NotEnoughData(
                f"All {len(column)} values of '{name}' are missing in the {which} table.",
                expected="at least one value",
                fix="Choose another column.",
            )
    kind: Kind = sdtype if sdtype in {"numerical", "datetime"} else "categorical"
    table = _count_labels(real, synthetic) if kind == "categorical" else _count_bins(real, synthetic)
    return Comparison(
        title, axis_label(name), kind, table, f"{_caption('real', real)}; {_caption('synthetic', synthetic)}"
    )


def _caption(which: str, column: pd.Series) -> str:
    return f"{which}: {len(column):,} rows, {column.isna().mean():.1%} missing"


def _count_bins(real: pd.Series, synthetic: pd.Series) -> pd.DataFrame:
    times = pd.api.types.is_datetime64_any_dtype(real)
    values = [
        column.dropna().astype("int64" if times else "float64").to_numpy() for column in (real, synthetic)
    ]
    bins = int(np.clip(np.sqrt(min(map(len, values))), _FEWEST_BINS, _MOST_BINS))
    low = min(value.min() for value in values)
    offsets = [(value - low).astype("float64") for value in values]  # nanoseconds since 1970 outgrow a float
    high = max(offset.max() for offset in offsets)
    half = _HALF_DAY_NS if times else 0.5
    edges = np.linspace(0.0, high, bins + 1) if high > 0 else np.linspace(-half, half, bins + 1)
    shares = [np.histogram(offset, edges)[0] / len(offset) for offset in offsets]
    shown = pd.to_datetime(low + edges.astype("int64")) if times else low + edges
    return pd.DataFrame({"left": shown[:-1], "right": shown[1:], "real": shares[0], "synthetic": shares[1]})


def _count_labels(real: pd.Series, synthetic: pd.Series) -> pd.DataFrame:
    shares = pd.DataFrame(
        {
            which: column.dropna().astype(str).value_counts(normalize=True)
            for which, column in (("real", real), ("synthetic", synthetic))
        }
    ).fillna(0.0)
    ranked = (
        shares.rename_axis("label")
        .reset_index()
        .sort_values(["real", "label"], ascending=[False, True], kind="stable")
    )
    if len(ranked) > _MOST_BARS:
        rest = ranked.iloc[_MOST_BARS:][["real", "synthetic"]].sum()
        ranked = pd.concat([ranked.head(_MOST_BARS), pd.DataFrame([{"label": OTHERS, **rest}])])
    return ranked.reset_index(drop=True)


def draw_comparison(comparison: Comparison) -> Figure:
    """Draw both distributions over one another (numbers, times) or side by side (labels)."""
    figure, axes = new_figure(width=8.0, height=4.2)
    table = comparison.table
    if comparison.kind == "categorical":
        places = np.arange(len(table))
        axes.bar(places - 0.2, table["real"], 0.4, color=REAL, label="real")
        axes.bar(places + 0.2, table["synthetic"], 0.4, color=SYNTHETIC, label="synthetic")
        crowded = len(table) > 8 or table["label"].str.len().max() > 10
        axes.set_xticks(
            places,
            [text[:24] for text in table["label"]],
            rotation=40 if crowded else 0,
            ha="right" if crowded else "center",
        )
        axes.grid(visible=False, axis="x")
    else:
        edges = [*table["left"], table["right"].iloc[-1]]
        for which, colour in (("real", REAL), ("synthetic", SYNTHETIC)):
            axes.stairs(table[which], edges, fill=True, alpha=0.35, color=colour)
            axes.stairs(table[which], edges, color=colour, linewidth=1.4, label=which)
    axes.set_title(comparison.title, loc="left")
    axes.set_xlabel(f"{comparison.label}\n{comparison.caption}")
    axes.set_ylabel("share of values")
    axes.set_ylim(bottom=0)
    _add_legend(axes)
    return figure


def _add_legend(axes: Any) -> None:
    """Put the legend above the axes, where it covers nothing."""
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)


def draw_comparison_page(comparison: Comparison) -> go.Figure:
    """Draw the same table with plotly; the page holds the bins, never the rows."""
    import plotly.graph_objects as go

    table, figure = comparison.table, go.Figure()
    categorical = comparison.kind == "categorical"
    places = table["label"] if categorical else table["left"] + (table["right"] - table["left"]) / 2
    for which, colour in (("real", REAL), ("synthetic", SYNTHETIC)):
        figure.add_bar(
            x=places, y=table[which], name=which, marker_color=colour, opacity=1.0 if categorical else 0.55
        )
    figure.update_layout(
        title=comparison.title,
        xaxis_title=f"{comparison.label}<br><sub>{comparison.caption}</sub>",
        yaxis_title="share of values",
        barmode="group" if categorical else "overlay",
        bargap=0.2 if categorical else 0.0,
    )
    return figure


def draw_scores(scores: pd.Series, title: str) -> Figure:
    """Draw scores 0-1 as bars, weakest on top.

    Args:
        scores: Index = name, ascending.
        title: Title of the picture.
    """
    figure, axes = new_figure(width=8.0, height=1.2 + 0.24 * max(len(scores), 3))
    places = np.arange(len(scores))
    axes.barh(places, scores.to_numpy(), color=REAL, height=0.7)
    axes.set_yticks(places, [str(name)[:48] for name in scores.index])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("score (1 = alike)")
    axes.grid(visible=False, axis="y")
    axes.set_title(title, loc="left")
    return figure


def draw_memory(memory: pd.DataFrame) -> Figure:
    """Draw lag-1 autocorrelations, real beside synthetic.

    Args:
        memory: Columns `table`, `column`, `real`, `synthetic`.
    """
    figure, axes = new_figure(width=8.0, height=1.4 + 0.34 * max(len(memory), 3))
    places = np.arange(len(memory))
    axes.barh(places - 0.2, memory["real"], 0.38, color=REAL, label="real")
    axes.barh(places + 0.2, memory["synthetic"].fillna(0.0), 0.38, color=SYNTHETIC, label="synthetic")
    axes.set_yticks(places, [f"{row.table}.{row.column}"[:48] for row in memory.itertuples()])
    axes.invert_yaxis()
    axes.axvline(0, color=COLOURS["grey"], linewidth=0.8)
    axes.set_xlabel("lag-1 autocorrelation, mean over cells (0 = no memory)")
    axes.grid(visible=False, axis="y")
    _add_legend(axes)
    axes.set_title("Memory in time", loc="left")
    return figure
