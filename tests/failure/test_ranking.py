"""The ranking without labels, the reasons and the tables behind the pictures."""

import numpy as np
import pandas as pd
import pytest
from bms_failure.feature_set import BY_NAME, FEATURE_NAMES, FEATURES
from bms_failure.moments import HISTORY_DAYS
from bms_failure.plots import prepare_deviation, prepare_ranking, prepare_reliability
from bms_failure.ranking import INDICATORS, rank_by_indicators
from bms_failure.reasons import word_reasons, word_value
from bms_failure.scoring import rank_without_labels


def calm_fleet(cells: int = 30, seed: int = 0) -> pd.DataFrame:
    """Latest moments of cells that differ by noise of the sensors' size only."""
    rng = np.random.default_rng(seed)
    columns = {item.name: 0.7 * item.floor * rng.normal(size=cells) for item in FEATURES}
    head = {"Cell ID": [f"A/{number:02d}" for number in range(cells)], "string": "A", HISTORY_DAYS: 20.0}
    return pd.DataFrame(head | columns | {"at": pd.Timestamp("2026-01-30")})


@pytest.mark.parametrize("seed", range(5))
def test_a_calm_fleet_has_no_suspicious_cell(seed: int) -> None:
    assert not rank_by_indicators(calm_fleet(seed=seed)).suspicious.any()


def test_two_physical_signs_make_a_cell_suspicious_one_does_not() -> None:
    fleet = calm_fleet()
    fleet.loc[3, "voltage_level_1d"] = -80.0
    one = rank_by_indicators(fleet)
    fleet.loc[3, "gravity_level_7d"] = -0.03
    two = rank_by_indicators(fleet)
    assert not one.suspicious.any()
    assert np.flatnonzero(two.suspicious).tolist() == [3]
    assert two.score[3] > one.score[3]


def test_a_drifting_voltage_sensor_is_one_sign() -> None:
    fleet = calm_fleet()
    fleet.loc[3, ["voltage_level_1d", "load_level_30d", "voltage_slope_7d"]] = [-80.0, -80.0, -10.0]
    assert not rank_by_indicators(fleet).suspicious.any()


def test_the_healthy_direction_is_not_suspicious() -> None:
    fleet = calm_fleet()
    fleet.loc[3, ["voltage_level_1d", "gravity_level_7d", "temperature_level_1d"]] = [80.0, 0.03, -5.0]
    assert not rank_by_indicators(fleet).suspicious.any()


def test_a_silent_cell_is_neither_good_nor_bad() -> None:
    fleet = calm_fleet()
    fleet.loc[5, list(INDICATORS)] = np.nan
    found = rank_by_indicators(fleet)
    assert found.score[5] == 0.5
    assert not found.suspicious[5]


def test_without_labels_no_risk_is_given() -> None:
    table = rank_without_labels(calm_fleet()).table
    assert table["risk"].isna().all()
    assert table["indicator_score"].is_monotonic_decreasing
    assert table["rank"].tolist() == list(range(1, 31))


def test_every_feature_can_be_said_with_its_number_and_unit() -> None:
    for feature in FEATURES:
        text = word_value(feature, -0.02, history_days=40.0)
        assert "{" not in text
        assert feature.unit in text


def test_a_window_is_never_claimed_longer_than_the_history() -> None:
    text = word_value(BY_NAME["voltage_level_30d"], -38.0, history_days=0.01)
    assert text == "voltage 38 mV below the string median over all its readings"


def test_a_resistance_is_told_in_percent_not_in_logarithms() -> None:
    text = word_value(BY_NAME["resistance_level_7d"], float(np.log(1.5)), history_days=20.0)
    assert text == "load-step resistance 50 % above the string median over 7 d"


def test_reasons_name_a_theme_once_and_drop_what_weighs_nothing() -> None:
    fleet = calm_fleet()
    weights = pd.DataFrame(0.0, index=fleet.index, columns=list(FEATURE_NAMES))
    weights.loc[0, ["voltage_level_1d", "voltage_level_7d", "gravity_level_7d", "rise_level_1d"]] = [
        3,
        2,
        1,
        0.01,
    ]
    fleet.loc[0, "voltage_level_1d"] = -38.0
    reasons = word_reasons(fleet, weights)
    assert len(reasons[0]) == 2
    assert reasons[0][0] == "voltage 38 mV below the string median over 1 d, 3rd percentile of the fleet"
    assert reasons[0][1].startswith("specific gravity")
    assert reasons[1] == []


def test_unknown_values_are_no_reason() -> None:
    fleet = calm_fleet()
    fleet.loc[0, "voltage_level_1d"] = np.nan
    weights = pd.DataFrame(0.0, index=fleet.index, columns=list(FEATURE_NAMES))
    weights.loc[0, "voltage_level_1d"] = 3.0
    assert word_reasons(fleet, weights)[0] == []


def test_reliability_counts_what_came_true() -> None:
    labels = np.r_[np.zeros(80), np.ones(20)]
    table = prepare_reliability(labels, np.full(100, 0.25), np.arange(100).astype(str))
    assert table["observed"].tolist() == [0.2]
    assert table["cell_days"].tolist() == [100]
    assert table["lo95"].item() == pytest.approx(0.1334, abs=1e-3)  # Wilson, 20 of 100
    assert table["hi95"].item() == pytest.approx(0.2888, abs=1e-3)


def test_reliability_intervals_count_cells_not_days() -> None:
    labels, risk = np.r_[np.zeros(80), np.ones(20)], np.full(100, 0.25)
    few = prepare_reliability(labels, risk, np.repeat(np.arange(10), 10).astype(str))
    many = prepare_reliability(labels, risk, np.arange(100).astype(str))
    assert few["hi95"].item() - few["lo95"].item() > 2 * (many["hi95"].item() - many["lo95"].item())


def test_the_ranking_picture_shows_scores_where_there_is_no_risk() -> None:
    bars, column = prepare_ranking(rank_without_labels(calm_fleet()).table)
    assert column == "indicator_score"
    assert len(bars) == 20


def test_the_deviation_picture_keeps_the_worst_five() -> None:
    days = pd.date_range("2026-01-01", periods=4)
    moments = pd.DataFrame(
        [{"Cell ID": f"c{cell}", "at": day, "voltage_mv": float(cell)} for cell in range(8) for day in days]
    )
    lines, band = prepare_deviation(moments, [f"c{cell}" for cell in range(8)])
    assert set(lines["Cell ID"]) == {f"c{cell}" for cell in range(5)}
    assert band["low"].tolist() == pytest.approx([0.35] * 4)
