"""The ranking without labels."""

import numpy as np
import pytest
from bms_failure.ranking import INDICATORS, rank_by_indicators
from bms_failure.scoring import rank_without_labels

from tests.failure.calm import calm_fleet


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


def test_where_one_sensor_is_all_there_is_its_sign_alone_must_be_larger() -> None:
    fleet = calm_fleet()
    others = [name for name in INDICATORS if not name.startswith(("voltage", "load"))]
    fleet[others] = np.nan
    spread = 1.4826 * fleet["voltage_level_1d"].abs().median()
    fleet.loc[3, "voltage_level_1d"] = -4.5 * spread
    assert not rank_by_indicators(fleet).suspicious.any()
    fleet.loc[3, "voltage_level_1d"] = -20.0 * spread
    assert np.flatnonzero(rank_by_indicators(fleet).suspicious).tolist() == [3]


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
