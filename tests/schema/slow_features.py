"""Every feature once more in plain loops: the slow oracle of the fast ones, and logs to try them on."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd

SIGNALS = {
    "CellVoltage": ("voltage", "_v", 0.002),
    "CellTemperature": ("temperature", "_c", 0.2),
    "CellSpecificGravity": ("gravity", "", 0.001),
}
HOUR, DAY = 3600.0, 86_400.0
NONE = float("nan")


def odd_log(seed: int) -> pd.DataFrame:
    """Return a canonical log with everything a log can have: bursts, gaps, repeated and missing times, holes."""
    rng = np.random.default_rng(seed)
    moments = int(rng.integers(1, 60))
    steps = rng.choice([0.0, 1.0, 60.0, 600.0, HOUR, 6 * HOUR, 3 * DAY], moments, p=[0.1, *[0.15] * 6])
    rows = pd.DataFrame(
        [
            (f"S{string}", f"S{string}/{cell}", when)
            for when in np.cumsum(steps)
            for string, cells in enumerate((4, 3, 1))
            for cell in range(cells)
        ],
        columns=["string", "Cell ID", "Timestamp"],
    )
    n = len(rows)
    rows["Timestamp"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(rows["Timestamp"], unit="s")
    rows["CellVoltage"] = 2.2 + rng.normal(0, 0.02, n).round(3)
    rows["CellTemperature"] = 25 + rng.normal(0, 8, n).round(1)
    rows["InstantaneousCurrent"] = rng.choice([-50.0, -3.0, 0.0, 2.0, 30.0], n)
    rows["AmbientTemperature"] = 22 + rng.normal(0, 1, n).round(1)
    rows["CellSpecificGravity"] = 1.24 + rng.normal(0, 0.004, n).round(3)
    for name in (*SIGNALS, "InstantaneousCurrent", "AmbientTemperature"):
        rows.loc[rng.random(n) < 0.15, name] = np.nan
    rows.loc[rng.random(n) < 0.03, "Timestamp"] = pd.NaT
    if rng.random() < 0.3:
        rows.loc[rows["Cell ID"] == "S0/1", "Timestamp"] = pd.NaT
    kept = rows[rng.random(n) < 0.95].sample(frac=1, random_state=seed)
    return kept.reset_index(drop=True).rename_axis(None).assign(source_row=lambda frame: range(len(frame)))


def slow_features(frame: pd.DataFrame) -> pd.DataFrame:
    """Return every feature of a canonical frame whose strings log all their cells at one time."""
    found: list[dict[str, float]] = [{} for _ in range(len(frame))]
    for column, (short, suffix, floor) in SIGNALS.items():
        for rows in _moments(frame):
            values = [frame[column][row] for row in rows if not math.isnan(frame[column][row])]
            median = float(np.median(values)) if len(values) >= 3 else NONE
            spread = float(np.median([abs(value - median) for value in values])) if values else NONE
            for row in rows:
                deviation = frame[column][row] - median
                found[row][f"{short}_deviation{suffix}"] = deviation
                found[row][f"{short}_robust_z"] = deviation / max(1.4826 * spread, floor)
    for _, rows in frame.groupby("Cell ID"):
        _cell(rows.sort_values(["Timestamp", "source_row"]), found)
    return pd.DataFrame(found, index=frame.index)


def _moments(frame: pd.DataFrame) -> list[list[int]]:
    timed = frame.groupby("Cell ID")["Timestamp"].transform("count") > 0
    number = frame.sort_values("source_row").groupby("Cell ID").cumcount()
    again = frame.sort_values("source_row").groupby(["Cell ID", "Timestamp"]).cumcount()
    together: dict[object, list[int]] = {}
    for row in range(len(frame)):
        when = frame["Timestamp"][row] if timed[row] else int(number[row])
        alone = row if timed[row] and pd.isna(when) else None
        nth = int(again[row]) if timed[row] and alone is None else 0
        together.setdefault((frame["string"][row], when, alone, nth), []).append(row)
    return list(together.values())


def _segments(seconds: list[float]) -> list[int]:
    """Number the stretches between gaps: a step beyond five times the 0.9 quantile of the fifty before it."""
    steps = [NONE] + [after - before for before, after in pairwise(seconds)]
    steps = [step if step > 0 else NONE for step in steps]
    codes, code = [], 0
    for row, second in enumerate(seconds):
        known = [step for step in steps[max(0, row - 50) : row] if not math.isnan(step)]
        gap = bool(known) and steps[row] > 5 * float(np.quantile(known, 0.9))
        code += gap or math.isnan(second)
        codes.append(code)
    return codes


def _cell(rows: pd.DataFrame, found: list[dict[str, float]]) -> None:
    stamps = rows["Timestamp"]
    seconds = [NONE if pd.isna(stamp) else stamp.timestamp() for stamp in stamps]
    segment = _segments(seconds) if stamps.notna().any() else [0] * len(rows)
    read = {name: rows[name].tolist() for name in rows}
    z = {short: [found[row][f"{short}_robust_z"] for row in rows.index] for short, _, _ in SIGNALS.values()}

    def window(i: int, width_s: float, *, across: bool) -> list[int]:
        inside = [j for j in range(i + 1) if seconds[j] > seconds[i] - width_s]
        return [j for j in inside if across or segment[j] == segment[i]]

    def at(name: str, i: int) -> float:
        return float(read[name][i])

    charge = _integral([at("InstantaneousCurrent", i) for i in range(len(rows))], seconds, segment)
    discharge = _integral(
        [max(-at("InstantaneousCurrent", i), 0.0) for i in range(len(rows))], seconds, segment
    )
    age = _integral([2 ** ((at("CellTemperature", i) - 25) / 10) for i in range(len(rows))], seconds, segment)
    held = NONE
    load_steps: list[tuple[float, float]] = []
    for i, row in enumerate(rows.index):
        out = found[row]
        before = i > 0 and segment[i - 1] == segment[i]
        dv = at("CellVoltage", i) - at("CellVoltage", i - 1) if before else NONE
        di = at("InstantaneousCurrent", i) - at("InstantaneousCurrent", i - 1) if before else NONE
        is_step = abs(di) >= 5 and not math.isnan(dv)
        load_steps.append((dv, di) if is_step else (NONE, NONE))
        held = held if before else NONE
        held = dv / di if is_step and dv / di > 0 else held
        month, day = window(i, 30 * DAY, across=True), window(i, DAY, across=False)
        steps = [load_steps[j] for j in month if not math.isnan(load_steps[j][0])]
        fit = sum(v * c for v, c in steps) / sum(c * c for _, c in steps) if len(steps) >= 3 else NONE
        measured_h = sum(hours for _, hours in (age[j] for j in month) if not math.isnan(hours))
        aged_h = sum(part for part, _ in (age[j] for j in month) if not math.isnan(part))
        out["power_w"] = at("CellVoltage", i) * at("InstantaneousCurrent", i)
        out["temperature_rise_c"] = at("CellTemperature", i) - at("AmbientTemperature", i)
        out["gravity_25c"] = at("CellSpecificGravity", i) + 0.00072 * (at("CellTemperature", i) - 25)
        out["load_step_resistance_ohm"] = held
        out["load_step_resistance_30d_ohm"] = fit if fit > 0 else NONE
        out["charge_ah"] = _total(charge, range(i + 1), i)
        out["discharged_24h_ah"] = _total(discharge, day, i)
        out["thermal_age_h"] = _total(age, range(i + 1), i)
        out["ageing_factor_30d"] = aged_h / measured_h if measured_h > 0 else NONE
        for column, (short, suffix, _) in SIGNALS.items():
            for lag in (1, 2, 3):
                there = i >= lag and segment[i - lag] == segment[i]
                out[f"{short}_lag{lag}{suffix}"] = at(column, i - lag) if there else NONE
            out[f"{short}_diff{suffix}"] = at(column, i) - out[f"{short}_lag1{suffix}"]
            for hours in (1, 24):
                values = _known([at(column, j) for j in window(i, hours * HOUR, across=False)])
                out[f"{short}_mean_{hours}h{suffix}"] = float(np.mean(values)) if values else NONE
                out[f"{short}_std_{hours}h{suffix}"] = (
                    float(np.std(values, ddof=1)) if len(values) > 1 else NONE
                )
            for days in (1, 7, 30, 90):
                inside = [j for j in window(i, days * DAY, across=True) if not math.isnan(z[short][j])]
                level, slope, volatility = _trend(
                    [seconds[j] / DAY for j in inside], [z[short][j] for j in inside], days
                )
                out[f"{short}_z_level_{days}d"] = level
                out[f"{short}_z_slope_{days}d"] = slope
                out[f"{short}_z_volatility_{days}d"] = volatility


def _known(values: list[float]) -> list[float]:
    return [value for value in values if not math.isnan(value)]


def _integral(rate: list[float], seconds: list[float], segment: list[int]) -> list[tuple[float, float]]:
    """Return (added, hours) of each reading: a trapezoid from the reading before, at most five rows back."""
    steps = []
    for i, value in enumerate(rate):
        if math.isnan(value) or math.isnan(seconds[i]):
            steps.append((NONE, NONE))
            continue
        near = [j for j in range(max(0, i - 5), i) if segment[j] == segment[i] and not math.isnan(rate[j])]
        hours = (seconds[i] - seconds[near[-1]]) / HOUR if near else 0.0
        steps.append((hours * (value + rate[near[-1]]) / 2 if near else 0.0, hours))
    return steps


def _total(steps: list[tuple[float, float]], inside: list[int] | range, i: int) -> float:
    return NONE if math.isnan(steps[i][0]) else sum(_known([steps[j][0] for j in inside]))


def _trend(days: list[float], values: list[float], width: float) -> tuple[float, float, float]:
    if not values:
        return NONE, NONE, NONE
    volatility = float(np.std(values, ddof=1)) if len(values) > 1 else NONE
    wide = np.std(days) >= 0.5 * width / math.sqrt(12)
    slope = float(np.polyfit(np.array(days) - days[0], values, 1)[0]) if len(values) >= 3 and wide else NONE
    return float(np.mean(values)), slope, volatility
