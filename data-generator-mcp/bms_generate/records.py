"""Rows of a real and a synthetic table as numbers, encoded alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.labels import parse_labels

from bms_generate.telemetry_roles import TelemetryRoles, entity_codes, string_codes


@dataclass(frozen=True)
class Records:
    """Rows of one table.

    Args:
        values: float64 of shape (n, columns): signals, then categories as whole numbers, NaN where missing.
        names: Of the columns.
        shared: So many columns from the first are signals that the cells of a string share.
        signals: So many columns from the first are signals, the others categories.
        group: What is held out together, shape (n,): the string, in a single string the cell; None in a table
            without series, where every row stands for itself.
        label: 1.0, 0.0 or NaN, shape (n,); all NaN without a label.
        moment: Number of the row's string and time, shape (n,); None without series.
    """

    values: np.ndarray
    names: list[str]
    shared: int
    signals: int
    group: np.ndarray | None
    label: np.ndarray
    moment: np.ndarray | None


def encode(real: pd.DataFrame, synthetic: pd.DataFrame, roles: TelemetryRoles) -> tuple[Records, Records]:
    """Encode both tables alike; a category's number is its rank among the real ones, unknown ones follow."""
    columns: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for name in roles.signals:
        for side, frame in zip(columns, (real, synthetic), strict=True):
            side.append(frame[name].to_numpy(dtype="float64", na_value=np.nan))
    for name in roles.categories:
        for side, codes in zip(columns, _ranks(real[name], synthetic[name]), strict=True):
            side.append(codes)
    sides = zip(columns, (real, synthetic), strict=True)
    before, after = (_records(values, frame, roles) for values, frame in sides)
    return before, after


def _records(values: list[np.ndarray], frame: pd.DataFrame, roles: TelemetryRoles) -> Records:
    group = moment = None
    if roles.is_series:
        strings = string_codes(frame, roles.entity, roles.strings_by, roles.string)
        group = strings if len(np.unique(strings)) > 1 else entity_codes(frame, roles.entity)
        moment = frame.groupby([strings, frame[roles.time].to_numpy()], dropna=False).ngroup().to_numpy()
    return Records(
        values=np.column_stack(values) if values else np.empty((len(frame), 0)),
        names=[*roles.signals, *roles.categories],
        shared=len(roles.shared),
        signals=len(roles.signals),
        group=group,
        label=(
            parse_labels(frame[roles.label], blank_is_alive=False)
            if roles.label
            else np.full(len(frame), np.nan)
        ),
        moment=moment,
    )


def _ranks(real: pd.Series, synthetic: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return whole numbers, the most frequent real label first; NaN where missing."""
    texts = [
        column.astype(object).where(column.notna()).map(str, na_action="ignore")
        for column in (real, synthetic)
    ]
    counts = texts[0].value_counts().rename_axis("label").reset_index()
    known = counts.sort_values(["count", "label"], ascending=[False, True])["label"].tolist()
    known += sorted(set(texts[1].dropna()) - set(known))
    ranks = {label: float(rank) for rank, label in enumerate(known)}
    before, after = (column.map(ranks).to_numpy(dtype="float64") for column in texts)
    return before, after


def sample(size: int, most: int, seed: int) -> np.ndarray:
    """Return the sorted positions of at most `most` of `size` rows, drawn with a fixed seed."""
    if size <= most:
        return np.arange(size)
    return np.sort(np.random.default_rng(seed).choice(size, most, replace=False))
