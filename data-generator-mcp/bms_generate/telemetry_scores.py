"""Everything that SDV's reports do not see, measured on one real and one synthetic table."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bms_generate import privacy, two_sample
from bms_generate.correlations import autocorrelations, compare_correlations, cross_correlations
from bms_generate.privacy import Nearness
from bms_generate.records import encode
from bms_generate.series_scores import (
    Clock,
    LabelRates,
    cell_variances,
    compare_clocks,
    label_rates,
    shared_spread,
)
from bms_generate.telemetry import arrange, cut_windows, plan_windows
from bms_generate.telemetry_roles import TelemetryRoles
from bms_generate.trained_on import TrainedOn, compare_training
from bms_generate.two_sample import TwoSample


@dataclass(frozen=True)
class SeriesScores:
    """What holds for cells in time only.

    Args:
        autocorrelation: From `autocorrelations`.
        cross_correlation: From `cross_correlations`, largest error first.
        variance: From `cell_variances`.
        clock: Regularity of the time stamps.
        shared: From `shared_spread`.
    """

    autocorrelation: pd.DataFrame
    cross_correlation: pd.DataFrame
    variance: pd.DataFrame
    clock: Clock
    shared: pd.DataFrame


@dataclass(frozen=True)
class TelemetryScores:
    """One table's scores.

    Args:
        roles: Of its columns.
        series: None in a table without series.
        label: None without a label.
        two_sample: Whether trees can tell the two apart.
        trained_on: Whether a model learns as much from either.
        row_nearness: Distance of rows to the closest real one; None where there are too few.
        window_nearness: Of whole windows; None without series, or with too few.
    """

    roles: TelemetryRoles
    series: SeriesScores | None
    label: LabelRates | None
    two_sample: TwoSample
    trained_on: TrainedOn
    row_nearness: Nearness | None
    window_nearness: Nearness | None


def score_table(real: pd.DataFrame, synthetic: pd.DataFrame, roles: TelemetryRoles) -> TelemetryScores:
    """Score a synthetic table against the real one it was made of.

    Args:
        real: Sentinels missing, times as datetime64.
        synthetic: The same columns, any number of rows.
        roles: From `find_roles` on the real table.
    """
    rows = encode(real, synthetic, roles)
    nearness = privacy.row_nearness(*rows)
    learnt = compare_training(*rows, roles.label)
    if not roles.is_series:
        label = label_rates(*rows, roles.label) if roles.label else None
        return TelemetryScores(roles, None, label, two_sample.compare_rows(*rows), learnt, nearness, None)
    both = arrange(real, roles), arrange(synthetic, roles)
    plan = plan_windows(both[0])
    windows = cut_windows(both[0], plan), cut_windows(both[1], plan)
    by_lag = compare_correlations(*both)
    series = SeriesScores(
        autocorrelations(by_lag, roles.signals),
        cross_correlations(by_lag, roles.signals),
        cell_variances(*both, roles.signals),
        compare_clocks(*both),
        shared_spread(*both, roles.shared),
    )
    return TelemetryScores(
        roles=roles,
        series=series,
        label=label_rates(*both, roles.label) if roles.label else None,
        two_sample=two_sample.compare_windows(*windows),
        trained_on=learnt,
        row_nearness=nearness,
        window_nearness=privacy.window_nearness(*windows),
    )
