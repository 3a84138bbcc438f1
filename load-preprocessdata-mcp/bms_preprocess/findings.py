"""What a battery engineer should look at first, in sentences drawn from the quality report."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from bms_schema.data.columns import CELL_ID, COLUMNS

MOST = 5
MISSING_SHARE = 0.2  # [U] a cell that leaves out every fifth reading has a wiring or sensor fault
OUTSIDE_SHARE = 0.5  # [U] a cell that is outside the float window more often than inside
OUTLIER_SHARE = 0.05  # [U] one reading in twenty


class Finding(NamedTuple):
    """One thing to look at: a few words, and what was seen with its figures."""

    title: str
    sentence: str


def find(report: Mapping[str, Any]) -> list[Finding]:
    """Return the findings of a complete report (see `with_treatment`), the most telling first."""
    return [*_silent(report), *_float(report), *_outliers(report), *_time(report), *_filling(report)]


def _named(cells: list[tuple[str, str]]) -> str:
    shown = ", ".join(f"{name} ({figure})" for name, figure in cells[:MOST])
    return shown + (f" and {len(cells) - MOST} more" if len(cells) > MOST else "")


def _silent(report: Mapping[str, Any]) -> list[Finding]:
    found = []
    worst = [
        (cell[CELL_ID], f"{share:.0%}")
        for cell in report["cell_table"]
        if (share := cell["silent"] / cell["rows"]) >= MISSING_SHARE
    ]
    if worst:
        sentence = (
            f"{_named(worst)}: share of rows in which no sensor of the cell answered. Check the probe and its "
            "wiring; a dead sensor is not a dead cell."
        )
        found.append(Finding("Cells that often do not answer", sentence))
    empty = [COLUMNS[name].label for name, column in report["columns"].items() if not column["readings"]]
    if empty:
        found.append(Finding("Never measured", f"{', '.join(empty)}: the column holds no reading at all."))
    return found


def _float(report: Mapping[str, Any]) -> list[Finding]:
    window = report["float_window"]
    if not window or not window["below"] + window["above"]:
        return []
    text = (
        f"Of {window['readings']:,} {window['rule']}, {window['above'] / window['readings']:.0%} lie above "
        f"{window['high_v']:g} V and {window['below'] / window['readings']:.0%} below {window['low_v']:g} V."
    )
    shares = {cell[CELL_ID]: cell["outside_float"] / cell["rows"] for cell in report["cell_table"]}
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    cells = [(name, f"{share:.0%}") for name, share in ranked if share >= OUTSIDE_SHARE]
    if len(cells) > len(shares) / 2:
        text += (
            f" {len(cells)} of {len(shares)} cells are outside in most of their rows, which points to the "
        )
        text += "charger's set point or the chemistry profile rather than to a cell."
    elif cells:
        text += f" Outside in most of their rows: {_named(cells)}."
    text += " The window holds on float at 25 °C, about 3 mV per cell less for each °C above; at rest it is lower."
    return [Finding("Voltage outside the float window", text)]


def _outliers(report: Mapping[str, Any]) -> list[Finding]:
    cells = sorted(report["cell_table"], key=lambda cell: -cell["outliers"])
    telling = [
        (cell[CELL_ID], f"{cell['outliers']:,} readings")
        for cell in cells
        if cell["outliers"] > OUTLIER_SHARE * cell["rows"]
    ]
    if not telling:
        return []
    text = f"{_named(telling)}: {report['outlier_rule']}. They were kept, for anomaly detection to judge."
    return [Finding("Cells far from their string", text)]


def _time(report: Mapping[str, Any]) -> list[Finding]:
    found = []
    if report["gaps"]:
        longest = report["longest_gaps"][0]
        text = (
            f"{report['gaps']:,} pauses of more than five usual steps; the longest is {longest['hours']:,.1f} h in "
            f"cell {longest[CELL_ID]} from {longest['from']}. Nothing was carried or lagged across them."
        )
        found.append(Finding("Gaps in time", text))
    repeated, backward = report["duplicate_rows"], report["backward_time_stamps"]
    if repeated or backward:
        text = (
            f"{repeated:,} rows repeat the time of another row of the same cell; at {backward:,} rows a cell's "
            "clock goes back. All were kept, and sorted by time where order matters. Check for double exports and "
            "clock changes."
        )
        found.append(Finding("Repeated or backward time stamps", text))
    return found


def _filling(report: Mapping[str, Any]) -> list[Finding]:
    useless = [
        f"{COLUMNS[name].label} ({check['rmse']:.3g} against {check['mean_rmse']:.3g} {check['unit']}".rstrip()
        + ")"
        for name, check in report["imputation_check"].items()
        if report["imputed"].get(name) and check["rmse"] > 0.95 * check["mean_rmse"]
    ]
    if not useless:
        return []
    text = (
        f"{', '.join(useless)}: on hidden readings the filled values are no better than the column's mean. Do "
        "not read anything into them; the flags tell which they are."
    )
    return [Finding("Filled values that carry no information", text)]
