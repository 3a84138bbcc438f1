"""The three axes of a detection result: which can be drawn, which were asked for, and what stands beside them."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd
from bms_schema.data.columns import AMBIENT, COLUMNS, CURRENT, GRAVITY, SOC, TEMPERATURE, TIMESTAMP, VOLTAGE
from bms_schema.run.errors import InvalidArgument, MissingColumn

from bms_anomaly.deviations import DEVIATIONS
from bms_anomaly.picture_parts import SCORE

Space = Literal["readings", "deviations", "latent"]
AUTO = "auto"
LATENT = ("latent_1", "latent_2", "latent_3")
READINGS = (VOLTAGE, TEMPERATURE, GRAVITY, CURRENT, AMBIENT, SOC, SCORE, TIMESTAMP)
# What a space is made of, and what of it there must be.
OF_SPACE: dict[Space, tuple[str, ...]] = {
    "readings": READINGS,
    "deviations": (*DEVIATIONS, SCORE, TIMESTAMP),
    "latent": LATENT,
}
NEEDED: dict[Space, tuple[str, ...]] = {
    "readings": (),
    "deviations": (f"{VOLTAGE}_deviation",),
    "latent": LATENT,
}


def choose_axes(result: pd.DataFrame, axes: Sequence[str], space: Space) -> list[str]:
    """Return the columns of the axes; "auto" takes the next of the space that varies.

    Args:
        result: From `read_result`.
        axes: Columns, or "auto".
        space: What "auto" takes.

    Raises:
        MissingColumn: the result lacks an asked column, or has too few that vary.
        InvalidArgument: one column asked for twice.
    """
    offered = dict.fromkeys([*OF_SPACE[space], *READINGS, *LATENT])
    known = [name for name in offered if name in result and result[name].notna().any()]
    asked = [name for name in axes if name != AUTO]
    wanted = [*asked, *(NEEDED[space] if AUTO in axes else ())]
    if absent := [name for name in dict.fromkeys(wanted) if name not in known]:
        raise MissingColumn(
            f"The result has no values of {', '.join(absent)}.",
            expected=f"axes among: {', '.join(known)}",
            fix="Choose other axes, or auto in the space 'readings'. Latent axes are written by a new run of "
            "detect_anomalies; deviations need strings of three cells.",
        )
    if len(set(asked)) < len(asked):
        raise InvalidArgument(
            f"The axes are {', '.join(asked)}.", expected="three different columns", fix="Name each once."
        )
    free = [name for name in known if name not in asked and _varies(result[name])]
    if len(free) < len(axes) - len(asked):
        raise MissingColumn(
            f"Only {', '.join([*asked, *free])} of the result can be drawn: the others are missing or constant.",
            expected=f"{len(axes)} columns whose values vary",
            fix="Name a constant column as an axis, or run detect_anomalies on data with more readings.",
        )
    return [name if name != AUTO else free.pop(0) for name in axes]


def _varies(values: pd.Series) -> bool:
    known = values.dropna()
    return bool((known != known.iloc[0]).any())


def axis_values(values: pd.Series) -> pd.Series:
    """Return what is drawn of a column: the values, of times the days since the first."""
    if values.name != TIMESTAMP:
        return values.astype(float)
    return (values - values.min()) / pd.Timedelta(1, "D")


def axis_label(values: pd.Series) -> str:
    """Return what stands beside the axis of a column."""
    if values.name == TIMESTAMP:
        return f"Days since {values.min():%Y-%m-%d %H:%M}"
    if values.name == SCORE:
        return "Anomaly score"
    name = str(values.name)
    if name in DEVIATIONS:
        column = COLUMNS[DEVIATIONS[name]]
        return f"{column.label} less string's" + (f" [{column.unit}]" if column.unit else "")
    return COLUMNS[name].axis_label if name in COLUMNS else name.replace("_", " ").capitalize()
