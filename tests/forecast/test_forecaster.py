import numpy as np
import pandas as pd
import pytest
from bms_forecast import CellForecaster
from bms_forecast.baselines import Baselines
from bms_forecast.blend import Evidence
from bms_forecast.candidates import Candidates
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
        assert test.scores.mase < 0.9
        assert test.scores.skill > 0


def test_the_intervals_cover_what_they_promise(fitted: CellForecaster) -> None:
    covered = [test.scores.coverage for test in fitted.backtest().values()]
    assert 0.85 <= np.mean(covered) <= 0.98


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
    one, two = plain.fitted.checked, other.fitted.checked
    assert one is not None and two is not None
    np.testing.assert_array_equal(one.weights, two.weights)
    np.testing.assert_array_equal(one.shifts, two.shifts)
    at_first = [test["s0"].table.iloc[:12]["mean"] for test in (plain.backtest(), other.backtest())]
    np.testing.assert_array_equal(*at_first)


def test_white_noise_is_left_to_the_historical_mean() -> None:
    rng = np.random.default_rng(0)
    when = pd.date_range("2026-01-01", periods=400, freq="7s")
    frame = pd.DataFrame({"unique_id": "a", "ds": when, "y": rng.normal(size=400)})
    test = CellForecaster(horizon=12).fit(frame).backtest()["a"]
    assert "historical mean" in test.method
    assert test.scores.skill > 0.1


def test_a_mixture_that_lost_its_backtest_gives_way_to_the_last_value() -> None:
    rng = np.random.default_rng(0)
    when = pd.date_range("2026-01-01", periods=720, freq="7s")
    # The history teaches a return to the mean; the reported windows, from 600 on, leave it for good.
    values = rng.normal(size=720) * 0.1
    values[600:] += np.arange(120) * 0.5
    forecaster = CellForecaster(horizon=24).fit(pd.DataFrame({"unique_id": "a", "ds": when, "y": values}))
    state, test = forecaster.fitted, forecaster.backtest()["a"]
    assert state.lost_by == pytest.approx(1 - 1 / (1 - test.scores.skill), abs=0.1) and test.scores.skill < 0
    assert state.method == "last value" and (forecaster.predict()["mean"] == values[-1]).all()


def test_what_stands_still_through_its_backtest_is_forecast_to_stand_still() -> None:
    rng = np.random.default_rng(0)
    when = pd.date_range("2026-01-01", periods=720, freq="h")
    values = 100.0 - 20.0 * (rng.random(720) < 0.1)
    values[590:] = 100.0  # the last value errs by nothing in the reported windows
    forecaster = CellForecaster(horizon=24).fit(pd.DataFrame({"unique_id": "a", "ds": when, "y": values}))
    assert (forecaster.predict()["mean"] == 100.0).all()


def test_fifty_readings_of_white_noise_are_forecast_by_their_mean() -> None:
    rng = np.random.default_rng(0)
    when = pd.date_range("2026-01-01", periods=50, freq="5s")
    frame = pd.DataFrame({"unique_id": "a", "ds": when, "y": rng.normal(size=50)})
    test = CellForecaster(horizon=12).fit(frame).backtest()["a"]
    assert test.method in {"historical mean", "recent median"} and "history before" in test.reason


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


def test_what_is_known_ahead_is_used() -> None:
    rng = np.random.default_rng(2)
    when = pd.date_range("2026-01-01", periods=600, freq="h")
    plan = (rng.random(600) < 0.3).astype(float)
    y = 2.2 - 0.2 * plan + 0.002 * rng.normal(size=600)
    frame = pd.DataFrame(
        {"unique_id": "a", "ds": when, "y": np.where(np.arange(600) < 588, y, np.nan), "test": plan}
    )
    informed = CellForecaster(horizon=12, known_ahead=["test"]).fit(frame).predict()
    blind = CellForecaster(horizon=12).fit(frame.drop(columns="test")).predict()
    errors = [np.abs(answer["mean"].to_numpy() - y[588:]).mean() for answer in (informed, blind)]
    assert errors[0] < 0.5 * errors[1]


def test_a_column_known_ahead_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="known_ahead"):
        CellForecaster(known_ahead=["plan"]).fit(tidy(48, 1))


def test_a_forecast_stays_near_what_its_series_has_shown() -> None:
    frame = tidy()
    wild = frame["unique_id"] == "s1"
    frame.loc[wild, "y"] += np.where(np.arange(wild.sum()) % 29 == 0, 500.0, 0.0)
    answer = CellForecaster(horizon=12).fit(frame).predict(ids=["s0"])
    own = frame.loc[frame["unique_id"] == "s0", "y"]
    room = 0.5 * (own.max() - own.min())
    assert answer["unique_id"].unique().tolist() == ["s0"]
    assert answer[DECILES].to_numpy().max() <= own.max() + room + 1e-9
    assert answer[DECILES].to_numpy().min() >= own.min() - room - 1e-9


def test_weights_are_learnt_on_strings_that_taught_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    left_out: list[list[int] | None] = []
    asked: list[set[int]] = []
    fitted, of = Candidates.fitted, Evidence.of

    def noted(*args, without=None, **more):
        left_out.append(None if without is None else without.tolist())
        return fitted(*args, without=without, **more)

    def noted_too(features, candidates, samples):
        asked.append(set(samples.rows.tolist()))
        return of(features, candidates, samples)

    monkeypatch.setattr(Candidates, "fitted", noted)
    monkeypatch.setattr(Evidence, "of", noted_too)
    frame = tidy()
    string = frame["unique_id"].map({"s0": "A", "s1": "A", "s2": "B", "s3": "B"})
    CellForecaster(horizon=12, random_state=0).fit(frame.assign(string=string))
    # First the candidates that forecast, asked about later windows of all; then a fold each.
    assert left_out == [None, [0, 1], [2, 3], [0, 1]]
    assert asked == [{0, 1, 2, 3}, {0, 1}, {2, 3}, {0, 1}]
