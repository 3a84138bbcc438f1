import numpy as np
import pandas as pd
import pytest
from bms_forecast import CellForecaster
from bms_forecast.baselines import Baselines
from bms_forecast.grid import make_grid
from bms_schema.run.errors import InvalidArgument, ModelError

DECILES = [f"q{level / 10:g}" for level in range(1, 10)]


def tidy(hours: int = 24 * 12, series: int = 4) -> pd.DataFrame:
    """Hourly series with a daily cycle of their own size and level, and a covariate."""
    rng = np.random.default_rng(5)
    when = pd.date_range("2026-03-01", periods=hours, freq="h")
    day = np.sin(2 * np.pi * np.arange(hours) / 24)
    parts = [
        pd.DataFrame(
            {
                "unique_id": f"s{index}",
                "ds": when,
                "y": 10 * index + (1 + index) * (day + rng.normal(0, 0.2, hours)),
                "load": rng.normal(size=hours),
            }
        )
        for index in range(series)
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def fitted() -> CellForecaster:
    return CellForecaster(horizon=12, random_state=0).fit(tidy())


def test_every_series_gets_its_next_steps_with_ascending_quantiles(fitted: CellForecaster) -> None:
    answer = fitted.predict()
    assert list(answer.columns) == ["unique_id", "ds", "mean", *DECILES]
    assert answer.groupby("unique_id").size().to_dict() == dict.fromkeys(("s0", "s1", "s2", "s3"), 12)
    first = answer[answer["unique_id"] == "s2"]["ds"]
    assert first.iloc[0] == tidy()["ds"].max() + pd.Timedelta("1h")
    assert (np.diff(answer[DECILES].to_numpy(), axis=1) >= 0).all()
    assert np.isfinite(answer[DECILES].to_numpy()).all()


def test_a_noisy_cycle_is_forecast_better_than_by_yesterday(fitted: CellForecaster) -> None:
    for test in fitted.backtest().values():
        assert test.method in {"model", "daily profile"}
        assert test.scores.mase < 0.9
        assert test.scores.skill > 0


def test_the_intervals_cover_what_they_promise(fitted: CellForecaster) -> None:
    covered = [test.scores.coverage for test in fitted.backtest().values()]
    assert 0.7 <= np.mean(covered) <= 0.95  # outermost deciles: 80 %


def test_row_order_changes_nothing(fitted: CellForecaster) -> None:
    shuffled = tidy().sample(frac=1.0, random_state=1)
    other = CellForecaster(horizon=12, random_state=0).fit(shuffled)
    pd.testing.assert_frame_equal(other.predict(), fitted.predict())


def test_the_backtest_does_not_see_its_future() -> None:
    frame = tidy()
    plain = CellForecaster(horizon=12, random_state=0).fit(frame)
    first = next(iter(plain.backtest().values())).table["origin"].min()
    altered = frame.assign(y=frame["y"].where(frame["ds"] <= first, -frame["y"]))
    other = CellForecaster(horizon=12, random_state=0).fit(altered)
    assert plain.fitted.checked is not None and other.fitted.checked is not None
    assert plain.fitted.checked.save_raw() == other.fitted.checked.save_raw()
    np.testing.assert_array_equal(plain.fitted.checked_shifts, other.fitted.checked_shifts)


def test_white_noise_is_left_to_the_historical_mean() -> None:
    rng = np.random.default_rng(0)
    when = pd.date_range("2026-01-01", periods=400, freq="7s")
    frame = pd.DataFrame({"unique_id": "a", "ds": when, "y": rng.normal(size=400)})
    test = CellForecaster(horizon=12).fit(frame).backtest()["a"]
    assert test.method in {"historical mean", "model"}
    assert test.scores.skill > 0.1


def test_fifty_readings_of_white_noise_are_forecast_by_their_mean() -> None:
    rng = np.random.default_rng(0)
    when = pd.date_range("2026-01-01", periods=50, freq="5s")
    frame = pd.DataFrame({"unique_id": "a", "ds": when, "y": rng.normal(size=50)})
    test = CellForecaster(horizon=12).fit(frame).backtest()["a"]
    assert test.method == "historical mean" and "history before" in test.reason


def test_a_constant_series_is_forecast_flat_without_figures() -> None:
    when = pd.date_range("2026-01-01", periods=60, freq="h")
    forecaster = CellForecaster(horizon=5).fit(pd.DataFrame({"unique_id": "a", "ds": when, "y": 3.0}))
    answer = forecaster.predict()
    assert (answer[["mean", *DECILES]] == 3.0).all(axis=None)
    scores = forecaster.backtest()["a"].scores
    assert np.isnan(scores.mase) and forecaster.backtest()["a"].reason == "the history is constant"


def test_twenty_readings_are_enough_for_a_naive_forecast_with_intervals() -> None:
    rng = np.random.default_rng(3)
    when = pd.date_range("2026-01-01", periods=20, freq="h")
    frame = pd.DataFrame({"unique_id": "a", "ds": when, "y": rng.normal(size=20).cumsum()})
    forecaster = CellForecaster(horizon=24).fit(frame)
    assert forecaster.fitted.final is None
    answer = forecaster.predict()
    assert len(answer) == 24
    width = answer["q0.9"] - answer["q0.1"]
    assert (width > 0).all()
    assert width.iloc[-1] > width.iloc[0]


def test_missing_readings_and_covariates_are_tolerated() -> None:
    frame = tidy()
    holes = frame.assign(
        y=frame["y"].where(np.arange(len(frame)) % 5 != 0),
        load=frame["load"].where(np.arange(len(frame)) % 3 != 0),
    )
    answer = CellForecaster(horizon=6).fit(holes).predict()
    assert np.isfinite(answer[["mean", *DECILES]].to_numpy()).all()


def test_a_series_that_stopped_is_continued_from_its_own_end() -> None:
    frame = tidy()
    stop = frame["ds"].max() - pd.Timedelta("40h")
    frame = frame[(frame["unique_id"] != "s1") | (frame["ds"] <= stop)]
    answer = CellForecaster(horizon=6).fit(frame).predict()
    assert answer.loc[answer["unique_id"] == "s1", "ds"].min() == stop + pd.Timedelta("1h")


@pytest.mark.parametrize(
    "arguments", [{"horizon": 0}, {"horizon": 10**9}, {"quantiles": (0.5, 1.0)}, {"quantiles": ()}]
)
def test_impossible_arguments_are_refused(arguments: dict) -> None:
    with pytest.raises(InvalidArgument):
        CellForecaster(**arguments).fit(tidy(48, 1))


def test_an_unfitted_forecaster_says_so() -> None:
    with pytest.raises(ModelError, match="not fitted"):
        CellForecaster().predict()


def test_the_daily_profile_carries_on_what_sets_today_apart() -> None:
    hours = np.arange(24 * 12)
    usual = 20 + 3 * np.sin(2 * np.pi * hours / 24)
    warmer = usual + np.where(hours >= 24 * 11, 2.0, 0.0)
    frame = pd.DataFrame(
        {"unique_id": "room", "ds": pd.Timestamp("2026-01-01") + pd.to_timedelta(hours, unit="h")}
    )
    grid = make_grid(frame.assign(y=warmer[: len(hours)]))
    ahead = np.arange(1, 25)
    room, now = np.zeros(24, dtype=int), np.full(24, len(hours) - 1)
    found = Baselines(grid, 24).point("daily profile", room, now, ahead)
    # Nine usual days and the warm one make a profile 0.2 too warm; the offset is counted from it.
    np.testing.assert_allclose(found, usual[ahead - 1] + 0.2 + 1.8, atol=1e-9)
