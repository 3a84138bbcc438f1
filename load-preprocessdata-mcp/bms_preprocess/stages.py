"""The two stages that every row goes through, in memory and on workers alike.

First what needs all cells of a string at one moment (narrow: few columns), then what needs a cell's own past only,
on blocks of whole cells. Neither depends on which other strings or cells are at hand.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.chemistry import Chemistry
from bms_schema.data.columns import MEASURED_NAMES, flag_of
from bms_schema.data.features import cell_features, feature_names, string_features
from bms_schema.data.moments import CellOrder, moment_codes, order_cells
from bms_schema.data.suspects import mask_suspects

from bms_preprocess.predictors import cell_predictors, string_predictors
from bms_preprocess.quality import PartQuality, examine_part


@dataclass(frozen=True)
class Facts:
    """What must be known of the whole table before a part of it can be worked on.

    Args:
        names: Of the canonical table's columns.
        columns: From `available_columns` of the whole table: they decide which features exist.
        judged: Whether BMS-Flux cleaned the table before. Spikes and stuck sensors are looked for once: what was
            masked then would be judged anew without its own evidence.
        chemistry: The profile in force.
    """

    names: list[str]
    columns: list[str]
    judged: bool
    chemistry: Chemistry


def judged_before(names: list[str]) -> bool:
    """Whether a table with these column names carries BMS-Flux's flags already."""
    return any(flag_of(name) in names for name in MEASURED_NAMES)


@dataclass(frozen=True)
class Strings:
    """Whole strings after the first stage.

    Args:
        frame: Canonical frame, suspects missing.
        order: Its `order_cells`.
        features: From `string_features`, same rows.
        predictors: From `string_predictors`, same rows.
        quality: What the report needs to know of them.
    """

    frame: pd.DataFrame
    order: CellOrder
    features: pd.DataFrame
    predictors: pd.DataFrame
    quality: PartQuality


@dataclass(frozen=True)
class Block:
    """Whole cells after the second stage.

    Args:
        frame: Their rows of the canonical frame, suspects missing.
        features: Every feature that the table supports, same rows.
        predictors: What imputation looks at, same rows.
    """

    frame: pd.DataFrame
    features: pd.DataFrame
    predictors: pd.DataFrame


def without_suspects(frame: pd.DataFrame, *, judged: bool) -> pd.DataFrame:
    """Return whole strings with spikes and stuck readings missing, unless they were judged before."""
    if judged:
        return frame
    order = order_cells(frame)
    return mask_suspects(frame, moment_codes(frame, order), order)


def look_at_strings(frame: pd.DataFrame, facts: Facts) -> Strings:
    """Mask spikes and stuck readings, then compute what needs the other cells of the string.

    Args:
        frame: Whole strings of a canonical frame.
        facts: Of the whole table.
    """
    order = order_cells(frame)
    moments = moment_codes(frame, order)
    masked = frame if facts.judged else mask_suspects(frame, moments, order)
    features = string_features(masked, moments, facts.columns)
    measured = [name for name in MEASURED_NAMES if name in frame]
    quality = examine_part(
        masked, features, facts.chemistry, before=frame[measured], order=order, moments=moments
    )
    return Strings(masked, order, features, string_predictors(masked, moments, order), quality)


def look_at_cells(strings: Strings, rows: np.ndarray, facts: Facts) -> Block:
    """Compute what needs a cell's own past only.

    Args:
        strings: From `look_at_strings`.
        rows: Positions of whole cells in it, rising, shape (n,); all of them are not copied.
        facts: Of the whole table.
    """
    whole = len(rows) == len(strings.frame)
    frame, string_part, predictors = (
        part if whole else part.iloc[rows] for part in (strings.frame, strings.features, strings.predictors)
    )
    order = strings.order if whole else order_cells(frame)
    own = cell_features(frame, string_part, order, facts.columns)
    columns = {name: part[name] for part in (string_part, own) for name in part}
    features = pd.DataFrame({name: columns[name] for name in feature_names(facts.columns)}, copy=False)
    return Block(frame, features, cell_predictors(frame, predictors, order))


def with_features(frame: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with its features appended, in place of stale ones of an earlier run; nothing is copied."""
    stale = set(feature_names())
    columns = {name: frame[name] for name in frame if name not in stale}
    return pd.DataFrame({**columns, **{name: features[name] for name in features}}, copy=False)
