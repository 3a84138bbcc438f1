from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from bms_forecast.limits import Limits, limits_of
from bms_forecast.needs import REQUIRED
from bms_schema.data.table import canonical_table

from tests.forecast.battery_files import battery_frame

Change = Callable[[pd.DataFrame], pd.DataFrame]


def limits(change: Change = lambda frame: frame, chemistry: str = "auto") -> Limits:
    return limits_of(canonical_table(change(battery_frame(48)), require=REQUIRED, chemistry=chemistry))


def words(found: Limits) -> list[str]:
    return [limit.words for limit in found.items]


def _scaled(factor: float) -> Change:
    return lambda frame: frame.drop(columns="CellSpecificGravity").assign(
        CellVoltage=frame["CellVoltage"] * factor
    )


def test_a_flooded_cell_on_float_is_judged_by_the_low_cell_rule_and_its_temperature() -> None:
    found = limits()
    alarms = [limit.words for limit in found.items if limit.alarm]
    assert alarms == [
        "CellVoltage < 2.13 V",
        "CellVoltage < 2.07 V",
        "CellTemperature > AmbientTemperature + 10 °C",
        "CellTemperature > 50 °C",
    ]
    assert any("InstantaneousCurrent" in note for note in found.notes)


def test_the_top_of_the_float_window_follows_the_temperature_and_is_no_alarm() -> None:
    def top(degrees: float) -> float:
        found = limits(lambda frame: frame.assign(CellTemperature=degrees))
        high = next(limit for limit in found.items if limit.side == "above" and limit.target == "CellVoltage")
        assert not high.alarm
        return high.value

    assert top(20.0) == pytest.approx(2.25)
    assert top(30.0) == pytest.approx(2.22)
    assert top(60.0) == pytest.approx(2.25 - 0.003 * 20)  # compensation ends at 40 °C


@pytest.mark.parametrize(("cells", "low"), [(3, 6.39), (6, 12.78)])
def test_a_block_is_judged_by_as_many_cells_and_says_so(cells: int, low: float) -> None:
    found = limits(_scaled(cells))
    assert f"CellVoltage < {low} V" in words(found)
    assert "CellVoltage < 2.13 V" not in words(found)
    assert any(f"block of {cells} cells" in note for note in found.notes)


def test_cells_that_are_cycled_are_not_judged_by_float_limits() -> None:
    found = limits(lambda frame: frame.assign(CellVoltage=frame["CellVoltage"] - 0.2))
    assert words(found)[0] == "CellVoltage < 1.75 V"
    assert any("not kept on float" in note for note in found.notes)


def test_a_voltage_that_is_no_lead_acid_cells_is_not_judged() -> None:
    found = limits(_scaled(1.3 / 2.23), chemistry="vrla")
    assert not found.of("CellVoltage")
    assert any("no voltage limit applies" in note for note in found.notes)


@pytest.mark.parametrize(("volts", "high"), [(3.3, 3.65), (3.7, 4.25)])
def test_a_lithium_cell_is_judged_by_its_own_range(volts: float, high: float) -> None:
    def lithium(frame: pd.DataFrame) -> pd.DataFrame:
        wobble = frame["CellVoltage"] - 2.23
        return frame.drop(columns="CellSpecificGravity").assign(CellVoltage=volts + wobble)

    found = limits(lithium)
    assert words(found) == ["CellVoltage < 2.5 V", f"CellVoltage > {high:g} V", "CellTemperature > 60 °C"]


def test_without_the_rooms_temperature_only_the_hottest_is_judged() -> None:
    found = limits(lambda frame: frame.drop(columns="AmbientTemperature"))
    assert [limit.words for limit in found.of("CellTemperature")] == ["CellTemperature > 50 °C"]
    assert any("without AmbientTemperature" in note for note in found.notes)


def test_a_reading_on_the_limit_and_a_missing_one_are_not_beyond_it() -> None:
    low, rise = limits().items[0], limits().of("CellTemperature")[0]
    assert low.beyond(np.array([2.12, 2.13, np.nan])).tolist() == [True, False, False]
    assert rise.beyond(np.array([31.0, 35.0]), np.array([20.0, np.nan])).tolist() == [True, False]
