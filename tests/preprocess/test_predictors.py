"""What imputation may look at: other cells at the moment, the cell's own past, the string's total."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.simulate import simulate_fleet
from bms_preprocess.expected import Past, expected_charge, expected_reading
from bms_preprocess.predictors import cell_predictors, predictor_table, string_predictors
from bms_preprocess.shared_signals import fill_shared, median_of_others
from bms_preprocess.string_voltage import voltage_from_total
from bms_schema.data.deviation import moment_matrices
from bms_schema.data.moments import moment_codes, order_cells
from bms_schema.data.table import canonical_table
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def frame(fleet: pd.DataFrame) -> pd.DataFrame:
    return canonical_table(fleet).frame


@pytest.fixture(scope="module")
def series() -> pd.DataFrame:
    """Three strings of four cells over 20 days, every reading there, with totals that are good, good and poor."""
    readings = simulate_fleet(
        n_strings=3, cells_per_string=4, days=20, seed=5, sentinel_fraction=0.0, fault_fraction=0.0
    ).readings
    frame = canonical_table(readings).frame
    total = frame.groupby(["string", "Timestamp"])["CellVoltage"].transform("sum")
    rng = np.random.default_rng(0)
    scatter = frame["string"].eq("S003") * rng.normal(0.0, 0.5, len(frame))
    return frame.assign(StringVoltage=total + 0.3 + scatter)


values = st.one_of(st.just(float("nan")), st.integers(-5, 5).map(float))


@given(st.lists(st.tuples(st.integers(0, 3), values), min_size=1, max_size=30))
def test_median_of_others_is_the_median_without_the_cell_itself(rows: list[tuple[int, float]]) -> None:
    moments = np.array([moment for moment, _ in rows])
    readings = np.array([reading for _, reading in rows])
    expected = []
    for position, moment in enumerate(moments):
        others = [
            reading
            for other, reading in enumerate(readings)
            if other != position and moments[other] == moment and not np.isnan(reading)
        ]
        expected.append(np.median(others) if others else np.nan)
    np.testing.assert_array_equal(median_of_others(readings, moment_matrices(moments, smallest=2)), expected)


def test_a_missing_current_is_that_of_the_strings_other_cells(frame: pd.DataFrame) -> None:
    hidden = np.arange(0, len(frame), 17)
    truth = frame["InstantaneousCurrent"].to_numpy()[hidden]
    current = frame["InstantaneousCurrent"].mask(frame.index.isin(hidden))
    filled = fill_shared(frame.assign(InstantaneousCurrent=current), moment_codes(frame))
    np.testing.assert_array_equal(filled["InstantaneousCurrent"][hidden], truth)


def test_cells_with_currents_of_their_own_lend_none(frame: pd.DataFrame) -> None:
    current = pd.Series(np.random.default_rng(0).normal(size=len(frame)))
    current[::17] = np.nan
    filled = fill_shared(frame.assign(InstantaneousCurrent=current), moment_codes(frame))
    assert np.isnan(filled["InstantaneousCurrent"][::17]).all()


def test_cells_that_only_agree_on_being_full_keep_their_own_state_of_charge(series: pd.DataFrame) -> None:
    full = series["StateOfCharge"].gt(99.5).mean()
    assert full > 0.5  # they do agree most of the time
    soc = series["StateOfCharge"].mask(series.index % 17 == 0)
    filled = fill_shared(series.assign(StateOfCharge=soc), moment_codes(series))["StateOfCharge"]
    assert np.isnan(filled[::17]).all()


def test_predictors_never_look_at_the_reading_itself(frame: pd.DataFrame) -> None:
    changed = frame.copy()
    row = 700
    changed.loc[row, "CellVoltage"] = 1.5
    before, after = predictor_table(frame).loc[row], predictor_table(changed).loc[row]
    assert before.index[~np.isclose(before, after, rtol=0, atol=0, equal_nan=True)].tolist() == [
        "CellVoltage"
    ]


def test_predictors_never_look_ahead(frame: pd.DataFrame) -> None:
    so_far = frame["Timestamp"] < frame["Timestamp"].min() + pd.Timedelta("60h")
    early = predictor_table(frame[so_far].reset_index(drop=True))
    whole = predictor_table(frame)[so_far].reset_index(drop=True)
    names = [name for name in early if name not in ("InstantaneousCurrent", "AmbientTemperature")]
    pd.testing.assert_frame_equal(early[names], whole[names], check_exact=True)


def test_dead_labels_are_no_predictor(frame: pd.DataFrame) -> None:
    flipped = frame.assign(IsDead=1.0 - frame["IsDead"])
    pd.testing.assert_frame_equal(predictor_table(frame), predictor_table(flipped), check_exact=True)


def test_parts_of_whole_strings_and_blocks_of_whole_cells_give_the_same(frame: pd.DataFrame) -> None:
    together = predictor_table(frame)
    for _, part in frame.groupby("string"):
        string = part.reset_index(drop=True)
        order = order_cells(string)
        from_string = string_predictors(string, moment_codes(string, order), order)
        for _, block in string.groupby(string["Cell ID"].isin(string["Cell ID"].unique()[:2])):
            own = cell_predictors(block, from_string.loc[block.index], order_cells(block))
            expected = together.loc[part.index[block.index]].set_axis(own.index)
            pd.testing.assert_frame_equal(own, expected, check_exact=True)


def test_row_order_changes_no_predictor(frame: pd.DataFrame) -> None:
    shuffled = frame.sample(frac=1.0, random_state=4)
    again = predictor_table(shuffled.reset_index(drop=True)).set_axis(shuffled.index).sort_index()
    pd.testing.assert_frame_equal(again, predictor_table(frame), check_exact=True)


def _cells(*columns: list[float]) -> pd.DataFrame:
    """Return a string whose cells read `columns`, hourly."""
    n = len(columns[0])
    return pd.DataFrame(
        {
            "source_row": np.arange(n * len(columns)),
            "Cell ID": np.repeat([f"S/{cell}" for cell in range(len(columns))], n),
            "string": "S",
            "Timestamp": np.tile(pd.date_range("2026-01-01", periods=n, freq="h"), len(columns)),
            "value": np.concatenate(columns),
        }
    )


def test_a_cell_of_less_capacity_is_expected_as_much_deeper_as_before() -> None:
    others = np.array([100.0, 90, 80, 70, 100, 100, 100, 100, 100, 90])
    frame = _cells(list(100 - 2 * (100 - others)))
    past = Past(order_cells(frame))
    soc = frame["value"].to_numpy()
    soc[-1] = np.nan
    expected = expected_charge(soc, others, past)
    assert expected[-1] == pytest.approx(80.0, abs=0.5)
    assert expected[1] == 90.0  # nothing known yet: as deep as the others


def test_a_weak_cell_is_expected_to_fall_further_than_its_string() -> None:
    others = np.array([2.25, 2.25, 1.95, 1.90, 2.25, 2.25, 2.25, 1.95])
    weak = 2.25 + 1.5 * (others - 2.25)
    weak[-1] = np.nan
    past = Past(order_cells(_cells(list(weak))))
    expected = expected_reading("CellVoltage", weak, others, past)
    assert expected[-1] == pytest.approx(1.80, abs=0.01)


def test_without_other_cells_the_reading_before_is_expected() -> None:
    alone = np.array([2.2, np.nan, 2.1, 2.0])
    past = Past(order_cells(_cells(list(alone))))
    nobody = np.full(4, np.nan)
    np.testing.assert_array_equal(
        expected_reading("CellVoltage", alone, nobody, past), [np.nan, 2.2, 2.2, 2.1]
    )


def test_a_cell_logged_twice_at_a_moment_is_no_other_cell_of_itself(frame: pd.DataFrame) -> None:
    cell = frame[frame["Cell ID"] == "S001/C01"]
    again = cell.assign(source_row=cell["source_row"] + len(frame))
    alone = predictor_table(pd.concat([cell, again], ignore_index=True))
    assert alone["CellVoltage of others"].isna().all()
    among = predictor_table(pd.concat([frame, again], ignore_index=True)).iloc[cell.index]
    expected = predictor_table(frame).iloc[cell.index]
    at_first = "CellTemperature of others"
    np.testing.assert_allclose(among[at_first], expected[at_first], atol=0.15)


def test_nothing_is_carried_over_a_gap() -> None:
    frame = _cells([2.2] * 8)
    frame.loc[6:, "Timestamp"] += pd.Timedelta("9D")
    past = Past(order_cells(frame))
    assert np.isnan(past.last(frame["value"].to_numpy())[6])


def test_one_silent_cell_is_what_the_total_leaves(series: pd.DataFrame) -> None:
    hidden = (series["Cell ID"].str.endswith("C02") & (series.index % 5 == 0)).to_numpy()
    voltage = series["CellVoltage"].mask(hidden)
    filled = voltage_from_total(series.assign(CellVoltage=voltage), moment_codes(series))
    exact = hidden & series["string"].ne("S003").to_numpy()
    np.testing.assert_allclose(filled[exact], series["CellVoltage"][exact], atol=1e-9)
    poor = hidden & series["string"].eq("S003").to_numpy()
    assert np.isnan(filled[poor]).all()  # a total that scatters by 0.5 V tells less than the neighbours


def test_two_silent_cells_share_no_total(series: pd.DataFrame) -> None:
    hidden = (series["Cell ID"].str[-2:].isin(["02", "03"]) & (series.index // 12 % 5 == 0)).to_numpy()
    voltage = series["CellVoltage"].mask(hidden)
    filled = voltage_from_total(series.assign(CellVoltage=voltage), moment_codes(series))
    assert np.isnan(filled[hidden]).all()
