"""A synthetic fleet behaves over time as the real one does."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.fleet_synthesizer import FleetSynthesizer
from bms_generate.simulate import simulate_fleet
from bms_schema.run.errors import NotEnoughData

SIGNALS = [
    "CellVoltage",
    "CellTemperature",
    "CellSpecificGravity",
    "InstantaneousCurrent",
    "AmbientTemperature",
]


def without_sentinels(table: pd.DataFrame) -> pd.DataFrame:
    silent = table["CellVoltage"] > 60
    table.loc[silent, SIGNALS[:3]] = np.nan
    return table


def lag1(table: pd.DataFrame, name: str) -> float:
    """Mean over cells, as a slow loop would have it."""
    found = []
    for _, cell in table.sort_values("Timestamp").groupby("Cell ID"):
        pairs = pd.DataFrame({"now": cell[name], "next": cell[name].shift(-1)}).dropna()
        if pairs["now"].std() > 0 and pairs["next"].std() > 0:
            found.append(pairs["now"].corr(pairs["next"]))
    return float(np.mean(found))


@pytest.fixture(scope="module")
def real():
    return without_sentinels(simulate_fleet(n_strings=4, cells_per_string=16, days=6, seed=8).readings)


@pytest.fixture(scope="module")
def model(real):
    return FleetSynthesizer().fit(real)


@pytest.fixture(scope="module")
def made(model):
    return model.sample()


def test_the_fleet_has_the_real_columns_cells_grid_and_order_of_rows(real, made):
    assert list(made) == list(real) and len(made) == len(real)
    named = ["Timestamp", "string", "Cell ID"]
    pd.testing.assert_frame_equal(made[named], real[named])


def test_equal_seeds_give_equal_fleets_and_others_do_not(real, model, made):
    pd.testing.assert_frame_equal(FleetSynthesizer().fit(real).sample(), made)
    other = model.sample(seed=1)
    for name in SIGNALS:
        assert not np.array_equal(other[name], made[name]), name


def test_the_cells_of_a_string_share_current_and_room_at_every_moment(made):
    for name in ("InstantaneousCurrent", "AmbientTemperature"):
        assert made.groupby(["string", "Timestamp"])[name].nunique().max() == 1


@pytest.mark.parametrize("name", SIGNALS)
def test_every_signal_remembers_as_long_as_the_real_one(real, made, name):
    # Shuffled rows have 0; two fleets of one process differ by up to 0.2.
    assert lag1(made, name) == pytest.approx(lag1(real, name), abs=0.12)


def test_strings_discharge_and_recharge_as_often_and_as_deep(real, made):
    for side in (real, made):
        assert side["InstantaneousCurrent"].min() < -5 < 1 < side["InstantaneousCurrent"].max()
    shares = [(side["InstantaneousCurrent"].abs() > 1).mean() for side in (real, made)]
    assert shares[1] == pytest.approx(shares[0], rel=0.4)
    discharging = made[(made["InstantaneousCurrent"] < -5) & (made["IsDead"] == 0)]
    resting = made[(made["InstantaneousCurrent"].abs() < 1) & (made["IsDead"] == 0)]
    assert discharging["CellVoltage"].median() < resting["CellVoltage"].median() - 0.05


def test_cells_differ_from_each_other_as_much_as_the_real_ones(real, made):
    for name in ("CellVoltage", "CellSpecificGravity"):
        alive = [side[side.groupby("Cell ID")["IsDead"].transform("max") == 0] for side in (real, made)]
        within = [
            side[name] - side.groupby(["string", "Timestamp"])[name].transform("median") for side in alive
        ]
        levels = [gap.groupby(side["Cell ID"]).median() for gap, side in zip(within, alive, strict=True)]
        before, after = (level.quantile(0.9) - level.quantile(0.1) for level in levels)
        assert after == pytest.approx(before, rel=0.35), name


def test_deaths_keep_their_number_their_rate_and_what_announces_them(real, made):
    deaths = [side.groupby("Cell ID")["IsDead"].max().sum() for side in (real, made)]
    assert deaths[1] == deaths[0] > 0
    assert made["IsDead"].mean() == pytest.approx(real["IsDead"].mean(), rel=0.2)
    by_cell = made.sort_values("Timestamp").groupby("Cell ID")["IsDead"]
    assert (by_cell.diff().dropna() >= 0).all()
    drops = [
        side.loc[side["IsDead"] == 0, "CellVoltage"].median()
        - side.loc[side["IsDead"] == 1, "CellVoltage"].median()
        for side in (real, made)
    ]
    assert drops[1] == pytest.approx(drops[0], rel=0.4)
    assert made["IsDead"].dtype == real["IsDead"].dtype


def test_what_a_dying_cell_lacks_the_others_of_its_string_take_over(real, made):
    def steadiness(side):
        calm = side[side["InstantaneousCurrent"].abs() < 1]
        by_moment = calm.groupby(["string", "Timestamp"])["CellVoltage"]
        means, medians = by_moment.mean().groupby("string").std(), by_moment.median().groupby("string").std()
        return (means / medians).median()

    # The charger holds the mean. Cells that know nothing of each other would leave it no steadier than the median.
    assert steadiness(real) < 0.6
    assert steadiness(made) < 0.6


def test_readings_go_missing_together_and_at_their_rate(real, made):
    gaps = made[SIGNALS[:3]].isna()
    assert (gaps.any(axis=1) == gaps.all(axis=1)).all()
    assert gaps.to_numpy().mean() == pytest.approx(real[SIGNALS[:3]].isna().to_numpy().mean(), rel=0.5)


def test_values_stay_within_the_real_range_and_decimals(real, made):
    for name, places in zip(SIGNALS, (3, 1, 3, 1, 1), strict=True):
        values = made[name].dropna()
        assert real[name].min() <= values.min() and values.max() <= real[name].max()
        assert np.array_equal(values, values.round(places) + 0.0)


def test_no_day_of_a_cell_is_a_copy(real, made):
    def days(side):
        wide = side.assign(day=side["Timestamp"].dt.floor("D"), hour=side["Timestamp"].dt.hour)
        return {
            tuple(row)
            for row in wide.pivot_table("CellVoltage", ["Cell ID", "day"], "hour").round(6).to_numpy()
        }

    assert not days(real) & days(made)


def test_more_rows_make_more_strings_with_names_of_their_own(model, real):
    one_more = model.sample(rows=len(real) + 10)
    assert len(one_more) == len(real) + 10
    assert set(one_more["string"]) - set(real["string"]) == {"S001-2"}
    assert set(one_more.loc[one_more["string"] == "S001-2", "Cell ID"]) <= {
        f"S001-2/C{k:02d}" for k in range(1, 17)
    }
    assert not one_more.duplicated(["Cell ID", "Timestamp"]).any()


def test_fewer_rows_make_fewer_cells_and_no_shorter_log(model, real):
    readings = real["Timestamp"].nunique()
    few = model.sample(rows=2 * readings + 10)
    sizes = few.groupby("Cell ID", sort=False).size()
    assert sorted(sizes) == [10, readings, readings]
    assert few["Timestamp"].max() == real["Timestamp"].max()
    alone = model.sample(rows=10)
    assert len(alone) == 10 and len(set(alone["Cell ID"])) == 1


def test_gaps_in_the_log_stay_where_they_are(real):
    holey = real.drop(index=real.index[100:900]).sample(frac=0.9, random_state=0)
    made = FleetSynthesizer().fit(holey).sample()
    keys = ["Cell ID", "Timestamp"]
    assert set(map(tuple, made[keys].to_numpy())) == set(map(tuple, holey[keys].to_numpy()))


def test_strings_under_the_sun_keep_their_days():
    readings = simulate_fleet(
        n_strings=3, cells_per_string=4, days=9, seed=2, duty="solar", death_fraction=0
    ).readings
    model = FleetSynthesizer().fit(without_sentinels(readings))
    assert any("always at work" in note for note in model.notes)
    made = model.sample()
    by_hour = [
        side.groupby(side["Timestamp"].dt.hour)["InstantaneousCurrent"].mean() for side in (readings, made)
    ]
    assert by_hour[0].corr(by_hour[1]) > 0.9


def table(values: np.ndarray, **more: object) -> pd.DataFrame:
    """Cells as columns of `values`."""
    moments, cells = values.shape
    return pd.DataFrame(
        {
            "Cell ID": np.tile([f"c{k}" for k in range(cells)], moments),
            "Timestamp": np.repeat(pd.date_range("2026-01-01", periods=moments, freq="h"), cells),
            "CellVoltage": values.ravel(),
        }
        | more
    )


def test_white_noise_stays_white_noise():
    made = (
        FleetSynthesizer(string=()).fit(table(np.random.default_rng(0).uniform(2.1, 2.3, (200, 12)))).sample()
    )
    assert abs(lag1(made, "CellVoltage")) < 0.1
    assert made["CellVoltage"].min() >= 2.1 and made["CellVoltage"].max() <= 2.3


@pytest.mark.parametrize("cells", [1, 2])
def test_a_few_cells_are_enough(cells):
    walk = 2.2 + 0.001 * np.random.default_rng(0).normal(size=(100, cells)).cumsum(axis=0)
    real = table(walk)
    made = FleetSynthesizer(string=()).fit(real).sample()
    assert len(made) == len(real) and made["CellVoltage"].notna().all()
    assert lag1(made, "CellVoltage") > 0.7


def test_frequent_states_keep_their_rate_and_are_no_events():
    random = np.random.default_rng(0)
    mode = np.repeat(np.where(random.random(120) < 0.4, "boost", "float"), 6)
    real = table(random.normal(2.2, 0.01, (120, 6)), mode=mode)
    made = FleetSynthesizer(string=()).fit(real).sample()
    assert (made["mode"] == "boost").mean() == pytest.approx((real["mode"] == "boost").mean(), abs=0.02)
    assert made.groupby("Timestamp")["mode"].nunique().max() == 1


def test_an_all_missing_column_and_a_missing_state_stay(real):
    odd = real.assign(empty=np.nan, note=np.where(real.index % 50 == 0, None, "ok"))
    made = FleetSynthesizer().fit(odd).sample(rows=200)
    assert made["empty"].isna().all()
    assert set(made["note"].dropna()) == {"ok"}


def test_a_log_of_a_few_moments_is_refused():
    with pytest.raises(NotEnoughData, match="at least 8 moments"):
        FleetSynthesizer(string=()).fit(table(np.full((7, 3), 2.2)))
