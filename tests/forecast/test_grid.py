import numpy as np
import pandas as pd
import pytest
from bms_forecast.grid import daily_season, make_grid
from bms_schema.run.errors import InvalidArgument, NotEnoughData


def tidy(seconds: list[float], values: list[float], name: str = "a") -> pd.DataFrame:
    return pd.DataFrame({"unique_id": name, "ds": pd.to_datetime(seconds, unit="s"), "y": values})


def test_duplicates_are_averaged_and_gaps_stay_open() -> None:
    grid = make_grid(tidy([0, 60, 60, 120, 240], [1.0, 2.0, 4.0, 5.0, 6.0]))
    assert grid.step_s == 60
    np.testing.assert_array_equal(grid.values, [[1.0, 3.0, 5.0, np.nan, 6.0]])


def test_jittered_times_fall_on_the_usual_step() -> None:
    grid = make_grid(tidy([0, 61, 119, 180, 242], [1.0, 2.0, 3.0, 4.0, 5.0]), step_s=60.0)
    np.testing.assert_array_equal(grid.values, [[1.0, 2.0, 3.0, 4.0, 5.0]])


def test_a_series_that_stops_early_keeps_its_place_in_time() -> None:
    frame = pd.concat(
        [tidy([0, 60, 120, 180], [1.0, 2.0, 3.0, 4.0]), tidy([0, 60], [7.0, 8.0], "b")], ignore_index=True
    )
    grid = make_grid(frame)
    np.testing.assert_array_equal(grid.values, [[1, 2, 3, 4], [7, 8, np.nan, np.nan]])
    assert grid.ends.tolist() == [3, 1]
    assert grid.seconds(np.array([1]), np.array([2])).tolist() == [120.0]


def test_missing_last_readings_end_the_series_where_the_last_reading_was() -> None:
    grid = make_grid(tidy([0, 60, 120, 180], [1.0, 2.0, 3.0, np.nan]))
    assert grid.end_s.tolist() == [120.0]


def test_row_order_changes_nothing() -> None:
    frame = tidy([0, 60, 120, 180, 240], [1.0, 2.0, np.nan, 4.0, 5.0])
    shuffled = frame.sample(frac=1.0, random_state=3)
    np.testing.assert_array_equal(make_grid(frame).values, make_grid(shuffled).values)


@pytest.mark.parametrize(
    ("step_s", "length", "season"), [(3600, 48, 24), (3600, 47, 0), (7, 99999, 0), (86400, 99, 0)]
)
def test_a_daily_season_needs_two_whole_days(step_s: float, length: int, season: int) -> None:
    assert daily_season(step_s, length) == season


def test_a_frame_without_times_is_refused_with_advice() -> None:
    with pytest.raises(InvalidArgument, match="to_datetime"):
        make_grid(pd.DataFrame({"unique_id": "a", "ds": [1, 2], "y": [1.0, 2.0]}))


def test_one_reading_is_no_history() -> None:
    with pytest.raises(NotEnoughData):
        make_grid(tidy([0], [1.0]))
