"""Real against synthetic, one column: `prepare_*` makes a table, `draw_*` renders it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from bms_schema.run.plot_theme import COLOURS, new_figure

from bms_generate.findings import ColumnState, as_labels, column_state, find_out, missing_in_words
from bms_generate.plot_bins import count_bins
from bms_generate.plot_text import axis_label, wrapped
from bms_generate.verdict import percent

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure

Form = Literal["numerical", "datetime", "categorical"]
REAL, SYNTHETIC = COLOURS["blue"], COLOURS["orange"]
_MOST_BARS = 20
_LONGEST_LABEL, _LONGEST_TITLE = 24, 60
OTHERS = "(others)"
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Comparison:
    """The distributions of one column, ready to draw.

    Args:
        title: Table and column.
        label: Axis label with the unit.
        shares_of: What the shares are shares of.
        state: What there is to compare.
        kind: How to draw it: bins of numbers or times, or bars of labels.
        table: Columns `real`, `synthetic`: shares. numerical and datetime: `left`, `right` edges of the bin;
            categorical: `label`, most frequent real one first.
        missing: Share of missing values, real and synthetic.
        caption: Row counts, missing shares, and shares that the bins leave out.
        finding: What the picture shows, in a sentence.
    """

    title: str
    label: str
    shares_of: str
    state: ColumnState
    kind: Form
    table: pd.DataFrame
    missing: tuple[float, float]
    caption: str
    finding: str


def prepare_comparison(real: pd.Series, synthetic: pd.Series, spec: dict[str, Any], title: str) -> Comparison:
    """Bin or count a column of both tables over the same bins or labels.

    Identifiers are compared by how many rows each has, a constant by whether it is the same one, and a column
    without values by its missing shares.

    Args:
        real: The real column, typed.
        synthetic: The synthetic one.
        spec: Its entry in the metadata.
        title: Title of the picture.
    """
    state, name = column_state(real, synthetic, spec), axis_label(str(real.name))
    kind: Form = "categorical"
    shares_of, label = "values", name
    if state == "missing":
        table, shares_of = _count_labels(_presence(real), _presence(synthetic)), "rows"
    elif state == "identifier":
        table, label, shares_of = (
            _count_repeats(real, synthetic),
            f"rows per value of {name}",
            "different values",
        )
    elif state == "constant":
        same = as_labels(real).iloc[0]
        table = _count_labels(_constancy(real, same), _constancy(synthetic, same))
    elif state == "categorical":
        table = _count_labels(real, synthetic)
    else:
        table, kind = count_bins(real, synthetic), state
    caption = f"{_rows('real', real)}; {_rows('synthetic', synthetic)}"
    return Comparison(
        title,
        label,
        shares_of,
        state,
        kind,
        table,
        (float(real.isna().mean()), float(synthetic.isna().mean())),
        caption + (_outside(table) if kind != "categorical" else ""),
        f"{find_out(real, synthetic, state)}; {missing_in_words(real, synthetic)}",
    )


def _rows(which: str, column: pd.Series) -> str:
    return f"{which}: {len(column):,} rows, {column.isna().mean():.1%} missing"


def _outside(bins: pd.DataFrame) -> str:
    """Say what share of the values lies outside the bins; nothing where none does."""
    shares = 1 - bins[["real", "synthetic"]].sum()
    if shares.max() < _ROUNDING:
        return ""
    told = [percent(share if share >= _ROUNDING else 0.0) for share in shares]
    return f"\noutside this picture: {told[0]} of the real values, {told[1]} of the synthetic"


def _presence(column: pd.Series) -> pd.Series:
    return column.notna().map({True: "present", False: "missing"})


def _constancy(column: pd.Series, value: str) -> pd.Series:
    return as_labels(column).where(lambda text: text == value, OTHERS)


def _count_repeats(real: pd.Series, synthetic: pd.Series) -> pd.DataFrame:
    """Count identifiers by the rows each has; many different numbers of rows fall into classes of powers of 2."""
    counts = [as_labels(column).value_counts() for column in (real, synthetic)]
    pooled = pd.concat(counts)
    if pooled.nunique() > _MOST_BARS // 2:
        counts = [2 ** np.floor(np.log2(count)) for count in counts]
        names = {low: f"{low:g}" if low == 1 else f"{low:g}–{2 * low - 1:g}" for low in pd.concat(counts)}
    else:
        names = {number: f"{number:,}" for number in pooled}
    shares = [count.value_counts(normalize=True) for count in counts]
    table = pd.DataFrame({"real": shares[0], "synthetic": shares[1]}).fillna(0.0).sort_index()
    return table.assign(label=[names[number] for number in table.index]).reset_index(drop=True)


def _count_labels(real: pd.Series, synthetic: pd.Series) -> pd.DataFrame:
    shares = pd.DataFrame(
        {
            which: as_labels(column).value_counts(normalize=True)
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
    elif pd.api.types.is_numeric_dtype(real):
        ranked = ranked.sort_values("label", key=lambda label: label.astype(float))
    return ranked.reset_index(drop=True)


def draw_comparison(comparison: Comparison) -> Figure:
    """Draw both distributions over one another (numbers, times) or side by side (labels), and what is missing."""
    gappy = comparison.state != "missing" and max(comparison.missing) > 0
    figure, axes = new_figure(
        1, 2 if gappy else 1, width=8.0, height=4.2, width_ratios=(7, 1) if gappy else None
    )
    main = axes[0] if gappy else axes
    (_draw_bars if comparison.kind == "categorical" else _draw_bins)(main, comparison.table)
    main.set_title(wrapped(comparison.title, _LONGEST_TITLE), loc="left")
    main.set_xlabel(f"{comparison.label}\n{comparison.caption}")
    main.set_ylabel(f"share of {comparison.shares_of}")
    main.set_ylim(bottom=0)
    _add_legend(main)
    if gappy:
        axes[1].bar(["real", "synth."], comparison.missing, color=(REAL, SYNTHETIC), width=0.7)
        axes[1].set_ylim(0, 1.25 * max(comparison.missing))
        axes[1].set_title("missing", loc="left")
        axes[1].yaxis.set_major_formatter(lambda share, _: f"{share:.3g}")
        axes[1].grid(visible=False, axis="x")
    return figure


def _draw_bars(axes: Any, table: pd.DataFrame) -> None:
    places = np.arange(len(table))
    axes.bar(places - 0.2, table["real"], 0.4, color=REAL, label="real")
    axes.bar(places + 0.2, table["synthetic"], 0.4, color=SYNTHETIC, label="synthetic")
    crowded = len(table) > 8 or table["label"].str.len().max() > 10
    axes.set_xticks(
        places,
        [text[:_LONGEST_LABEL] for text in table["label"]],
        rotation=40 if crowded else 0,
        ha="right" if crowded else "center",
    )
    beside = 0.8 if len(table) > 1 else 1.6
    axes.set_xlim(-beside, len(table) - 1 + beside)
    axes.grid(visible=False, axis="x")


def _draw_bins(axes: Any, table: pd.DataFrame) -> None:
    edges = [*table["left"], table["right"].iloc[-1]]
    for which, colour in (("real", REAL), ("synthetic", SYNTHETIC)):
        axes.stairs(table[which], edges, fill=True, alpha=0.35, color=colour)
        axes.stairs(table[which], edges, color=colour, linewidth=1.4, label=which)


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
        xaxis_title="<br>".join((comparison.label, *comparison.caption.split("\n")[1:])),
        yaxis_title=f"share of {comparison.shares_of}",
        barmode="group" if categorical else "overlay",
        bargap=0.2 if categorical else 0.0,
    )
    if categorical:
        figure.update_xaxes(type="category")
    return figure
