"""May the twin be shared? Whether records or names of the real table stand in it.

Copies and near records can be measured, a guarantee of privacy cannot be given: whoever knows a rare event of
a real cell may find it again in a record that is neither copied nor near.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bms_generate.made_up import is_made_up, mostly_distinct
from bms_generate.privacy import Nearness, Share
from bms_generate.telemetry_roles import TelemetryRoles
from bms_generate.telemetry_scores import TelemetryScores
from bms_generate.verdict import Reason, grade, percent

NO_GUARANTEE = (
    "Copies and near records are what can be measured. This is no guarantee of privacy: rare values and extremes "
    "of the real table can reappear in a record that is no copy. A window is a day of one cell, or a part of it."
)
# Beyond what chance and its scatter explain: one in a thousand may be rounding; up to one in twenty arises where
# columns are coarse, as values that are frequent in the real table by chance are so in its twin.
_FOR_YES, _FOR_CARE = 0.001, 0.05
_WORDS = {"rows": "rows", "windows": "windows of a cell"}


def judge_sharing(
    scores: TelemetryScores,
    reused: dict[str, tuple[int, int]],
    texts: dict[str, tuple[int, int]] | None = None,
) -> list[Reason]:
    """Return what speaks for and against sharing one table.

    Args:
        scores: Of the table.
        reused: From `reused_names`.
        texts: From `reused_texts`.
    """
    reasons = [_texts(column, *counts) for column, counts in (texts or {}).items() if counts[0]]
    reasons += [_names(column, *counts) for column, counts in reused.items() if counts[0]]
    measured = [nearness for nearness in (scores.row_nearness, scores.window_nearness) if nearness]
    for nearness in measured:
        reasons += [_copies(nearness), _near(nearness)]
    if not measured:
        reasons.append(Reason("with care", "Too few records to tell copies from chance.", measured=False))
    return reasons


def reused_names(
    real: pd.DataFrame, synthetic: pd.DataFrame, spec: dict[str, Any], roles: TelemetryRoles
) -> dict[str, tuple[int, int]]:
    """Return, per column of names, how many synthetic names are real ones and how many there are.

    Names are identifiers and what names cells and strings. Plain numbers are left out: any count repeats them.

    Args:
        real: The real table.
        synthetic: The synthetic one.
        spec: Its SDV metadata.
        roles: Of its columns.
    """
    ids = [name for name, column in spec["columns"].items() if is_made_up(column)]
    found = {}
    for name in dict.fromkeys([*ids, *roles.entity, *roles.string]):
        known, made = (set(side[name].dropna().astype(str)) for side in (real, synthetic))
        if made and not all(text.replace(".", "", 1).isdigit() for text in known):
            found[name] = len(made & known), len(made)
    return found


def reused_texts(
    real: pd.DataFrame, synthetic: pd.DataFrame, spec: dict[str, Any], roles: TelemetryRoles
) -> dict[str, tuple[int, int]]:
    """Return, per column of texts that nearly every row has its own of, how many reappear and how many there are.

    Such texts are no labels, whatever the metadata says. Arguments as of `reused_names`, whose columns are left
    out, and so are numbers.
    """
    found = {}
    for name, column in spec["columns"].items():
        if is_made_up(column) or column["sdtype"] not in ("categorical", "ordinal"):
            continue
        named = name in (*roles.entity, *roles.string) or pd.api.types.is_numeric_dtype(real[name])
        if not named and mostly_distinct(real[name]):
            known, made = (set(side[name].dropna().astype(str)) for side in (real, synthetic))
            found[name] = len(made & known), len(known)
    return found


def _texts(column: str, reused: int, texts: int) -> Reason:
    count = f"All {texts:,}" if reused == texts else f"{reused:,} of the {texts:,}"
    return Reason(
        "with care",
        f"{count} different texts of real rows in {column} appear word for word: such texts are no labels; declare "
        f"the column an id, which is made up.",
    )


def _names(column: str, reused: int, names: int) -> Reason:
    count = "All" if reused == names else f"{reused:,} of"
    return Reason(
        "with care", f"{count} {names:,} names in {column} are real ones: rename them before sharing."
    )


def _copies(nearness: Nearness) -> Reason:
    copies, other = (
        nearness.copies,
        "another" if nearness.held_out == "rows" else "one of another string or cell",
    )
    return Reason(
        grade(copies.excess, _FOR_YES, _FOR_CARE),
        f"{percent(copies.synthetic)} of the synthetic {_WORDS[nearness.records]} equal a real one; by chance "
        f"{_with_scatter(copies)} would, as real ones equal {other}.",
    )


def _near(nearness: Nearness) -> Reason:
    near, others = (
        nearness.near,
        "each other" if nearness.held_out == "rows" else "those of other strings or cells",
    )
    medians = [float(np.median(side)) for side in (nearness.real, nearness.synthetic)]
    return Reason(
        grade(near.excess, _FOR_YES, _FOR_CARE),
        f"{percent(near.synthetic)} of the synthetic {_WORDS[nearness.records]} lie uncommonly near to a real one "
        f"(within half the distance of the nearest 1 % of real ones to {others}); real ones: "
        f"{_with_scatter(near)}. Median distance {medians[1]:.3f} against {medians[0]:.3f}.",
    )


def _with_scatter(share: Share) -> str:
    return percent(share.real) + (f" ± {percent(share.scatter)}" if share.scatter else "")
