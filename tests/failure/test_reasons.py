"""Reasons in words: the value, its unit, its place in the fleet."""

import numpy as np
import pandas as pd
from bms_failure.feature_set import BY_NAME, FEATURE_NAMES, FEATURES
from bms_failure.reasons import word_reasons, word_value

from tests.failure.calm import calm_fleet


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
    assert reasons[0][0] == "voltage 38 mV below the string median over 1 d, the lowest of the fleet"
    assert reasons[0][1].startswith("specific gravity")
    assert reasons[1] == []


def test_unknown_values_are_no_reason() -> None:
    fleet = calm_fleet()
    fleet.loc[0, "voltage_level_1d"] = np.nan
    weights = pd.DataFrame(0.0, index=fleet.index, columns=list(FEATURE_NAMES))
    weights.loc[0, "voltage_level_1d"] = 3.0
    assert word_reasons(fleet, weights)[0] == []


def test_a_reason_tells_the_share_of_other_cells_on_its_side() -> None:
    fleet = calm_fleet(cells=51)
    fleet["voltage_level_1d"] = -np.arange(51.0)
    weights = pd.DataFrame(0.0, index=fleet.index, columns=list(FEATURE_NAMES))
    weights["voltage_level_1d"] = 1.0
    said = [reasons[0] for reasons in word_reasons(fleet, weights, either_side=True)]
    assert said[49] == "voltage 49 mV below the string median over 1 d, lower than 98 % of the fleet"
    assert said[0].endswith(", the highest of the fleet")
    assert said[25].endswith(", like the middle of the fleet")


def test_a_value_on_the_better_side_of_the_fleet_is_no_reason() -> None:
    fleet = calm_fleet(cells=51)
    fleet["voltage_level_1d"] = -np.arange(51.0)
    fleet["missing_share_7d"] = 0.0
    weights = pd.DataFrame(0.0, index=fleet.index, columns=list(FEATURE_NAMES))
    weights[["voltage_level_1d", "missing_share_7d"]] = 1.0
    reasons = word_reasons(fleet, weights)
    assert [len(said) for said in reasons] == [0] * 26 + [1] * 25


def test_few_cells_have_no_place_in_a_fleet() -> None:
    fleet = calm_fleet(cells=9)
    fleet.loc[0, "voltage_level_1d"] = -38.0
    weights = pd.DataFrame(0.0, index=fleet.index, columns=list(FEATURE_NAMES))
    weights.loc[0, "voltage_level_1d"] = 3.0
    assert word_reasons(fleet, weights)[0] == ["voltage 38 mV below the string median over 1 d"]
