"""Why a cell stands where it stands: up to three signs in plain words with their numbers."""

import numpy as np
import pandas as pd

from bms_failure.blocks import BLOCK_S
from bms_failure.feature_set import BY_NAME, CellFeature
from bms_failure.moments import HISTORY_DAYS

MOST_REASONS = 3
SMALLEST_WEIGHT = 0.1  # [U] a tenth in the log-odds changes the odds by 10 %; less is no reason
_FEWEST_CELLS_FOR_PLACE = 10
_MIDDLE, _MIDDLE_PERCENT = 0.5, 55
_BLOCK_DAYS = BLOCK_S / 86_400
_NEVER_NEGATIVE = ("outside", "missing", "voltage_noise_mv", "far_")


def word_reasons(
    latest: pd.DataFrame, weights: pd.DataFrame, *, either_side: bool = False
) -> list[list[str]]:
    """Return up to three reasons per row, the heaviest first, each theme once; none where nothing weighs.

    A value on the better side of the fleet's middle is no reason, whatever a model made of it.

    Args:
        latest: One moment per cell with features; these are the fleet that a reason compares with.
        weights: What each feature adds to the risk, columns are feature names, same rows; weights
            below 0.1 and unknown features do not count.
        either_side: Whether values on the better side count too, for a ranking by mere distance.
    """
    names = list(weights.columns)
    values = latest[names].to_numpy(dtype=float)
    history = latest[HISTORY_DAYS].to_numpy(dtype=float)
    below, above = _shares(latest[names])
    better = np.where([BY_NAME[name].suspect > 0 for name in names], below, above) <= _MIDDLE
    counts = np.isfinite(values) & (either_side | ~better)
    heavy = np.where(counts, weights.to_numpy(dtype=float), -np.inf)
    reasons = []
    for row in range(len(latest)):
        said: list[str] = []
        themes: set[str] = set()
        for column in np.argsort(-heavy[row], kind="stable"):
            feature = BY_NAME[names[column]]
            if len(said) == MOST_REASONS or not heavy[row, column] >= SMALLEST_WEIGHT:
                break
            if feature.theme in themes:
                continue
            themes.add(feature.theme)
            place = word_place(below[row, column], above[row, column])
            said.append(word_value(feature, values[row, column], history[row]) + place)
        reasons.append(said)
    return reasons


def word_value(feature: CellFeature, value: float, history_days: float) -> str:
    """Say one feature's value in words; the window is never claimed longer than the history.

    >>> word_value(BY_NAME["voltage_level_7d"], -38.2, history_days=20.0)
    'voltage 38 mV below the string median over 7 d'
    """
    plain = float(np.expm1(value)) if feature.signal == "log_resistance" else value
    shown = plain * feature.scale
    per = "" if feature.unit.startswith("/") else " "
    size = f"{_number(abs(shown))}{per}{feature.unit}".rstrip()
    signed = f"{'−' if shown < 0 else '+'}{size}"
    # The first block counts from its last reading, so a full window may look a block short.
    window = f"{feature.days} d" if history_days >= feature.days - _BLOCK_DAYS else "all its readings"
    return feature.words.format(
        size=size,
        side="below" if shown < 0 else "above",
        value=size
        if feature.statistic == "volatility" or feature.signal.startswith(_NEVER_NEGATIVE)
        else signed,
        window=window,
    )


def _number(value: float) -> str:
    """Round to what a reader needs: two significant digits, whole numbers from 10 up, no powers of ten.

    >>> _number(123.4), _number(1.26), _number(0.0000512)
    ('123', '1.3', '0.000051')
    """
    if value >= 10:
        return f"{value:.0f}"
    return str(np.format_float_positional(value, precision=2, fractional=False, trim="-"))


def word_place(below: float, above: float) -> str:
    """Say where a value lies in the fleet, empty where too few cells have one.

    >>> word_place(0.02, 0.98), word_place(1.0, 0.0), word_place(0.5, 0.5), word_place(float("nan"), float("nan"))
    (', lower than 98 % of the fleet', ', the highest of the fleet', ', like the middle of the fleet', '')

    Args:
        below: Share of the other cells with a smaller value.
        above: Share with a larger one.
    """
    if np.isnan(below):
        return ""
    side, most, share = ("lower", "lowest", above) if above > below else ("higher", "highest", below)
    if share == 1.0:
        return f", the {most} of the fleet"
    percent = min(round(100 * share), 99)
    return (
        f", {side} than {percent} % of the fleet"
        if percent > _MIDDLE_PERCENT
        else ", like the middle of the fleet"
    )


def _shares(values: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return for each value the share of the column's other values below and above it, NaN of few values."""
    known = values.notna().sum()
    others = (known - 1).where(known >= _FEWEST_CELLS_FOR_PLACE).to_numpy(dtype=float)
    first, last = (values.rank(method=method).to_numpy(dtype=float) for method in ("min", "max"))
    return (first - 1) / others, (known.to_numpy() - last) / others
