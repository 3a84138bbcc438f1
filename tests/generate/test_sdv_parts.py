"""The pure parts of the twin: gaps, normal scores, grids, made-up names."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.identifiers import Pseudonyms
from bms_generate.missingness import join_missingness, split_missingness
from bms_generate.normal_scores import to_normal_scores
from bms_generate.precleaning import clean_table
from bms_generate.time_grid import find_series, share_rows, stretch
from bms_schema.run.errors import InputError
from hypothesis import given
from hypothesis import strategies as st

finite = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(st.one_of(st.none(), finite), min_size=1, max_size=40))
def test_gaps_taken_out_come_back(values):
    table = pd.DataFrame({"x": pd.Series(values, dtype="float64"), "y": 1.0})
    filled, masks = split_missingness(table, ["x", "y"])
    assert filled["x"].notna().all() or table["x"].isna().all()
    pd.testing.assert_frame_equal(join_missingness(filled, masks)[["x", "y"]], table)


def test_filled_gaps_keep_the_correlation_with_a_complete_column():
    random = np.random.default_rng(0)
    ambient = random.normal(size=2000)
    cell = ambient + random.normal(size=2000) * 0.5
    table = pd.DataFrame({"cell": cell, "ambient": ambient})
    table.loc[random.random(2000) < 0.3, "cell"] = np.nan
    filled, _ = split_missingness(table, ["cell", "ambient"])
    assert filled["cell"].corr(filled["ambient"]) == pytest.approx(np.corrcoef(cell, ambient)[0, 1], abs=0.03)


@given(st.lists(finite, min_size=1, max_size=60))
def test_normal_scores_lead_back_to_the_values(values):
    column = pd.Series(values)
    scores, marginal = to_normal_scores(column)
    assert np.isfinite(scores).all()
    assert np.allclose(marginal.restore(scores), column, rtol=1e-9, atol=1e-6)


def test_scores_beyond_the_sample_stay_within_its_range():
    _, marginal = to_normal_scores(pd.Series([1.0, 2.0, 3.0]))
    assert marginal.restore(pd.Series([-9.0, 9.0])).tolist() == [1.0, 3.0]


def test_scores_of_times_lead_back_to_times():
    column = pd.Series(pd.date_range("2026-01-01", periods=5, freq="7h"))
    scores, marginal = to_normal_scores(column)
    assert marginal.restore(scores).tolist() == column.tolist()


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20), st.integers(1, 500))
def test_rows_are_shared_out_completely_and_in_proportion(sizes, total):
    shares = share_rows(sizes, total)
    assert sum(shares) == total
    assert all(
        abs(share - size * total / sum(sizes)) < 1 + 1e-9 for share, size in zip(shares, sizes, strict=True)
    )


@given(st.integers(1, 40), st.integers(1, 200))
def test_a_stretched_grid_is_as_long_as_asked_and_keeps_its_beginning(known, length):
    stamps = np.datetime64("2026-01-01", "ns") + np.arange(known) * np.timedelta64(5, "m")
    grid = stretch(stamps, length, np.timedelta64(1, "h"))
    assert len(grid) == length
    assert (np.diff(grid) > np.timedelta64(0)).all()
    assert (grid[: min(known, length)] == stamps[: min(known, length)]).all()


def test_a_number_that_counts_within_a_string_needs_the_string_to_name_a_cell():
    stamps = pd.date_range("2026-01-01", periods=3).repeat(2)
    table = pd.DataFrame({"SiteID": list("ab") * 3, "CellNumber": 1, "PacketDateTime": stamps})
    kinds = {"SiteID": "categorical", "CellNumber": "categorical", "PacketDateTime": "datetime"}
    series = find_series({"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}, table)
    assert series.entity == ["CellNumber", "SiteID"]


def test_no_series_without_time_or_with_one_reading_per_cell():
    table = pd.DataFrame({"Cell ID": ["a", "b"], "Timestamp": pd.date_range("2026", periods=2)})
    columns = {"Cell ID": {"sdtype": "id"}, "Timestamp": {"sdtype": "datetime"}}
    assert find_series({"columns": columns}, table) is None
    assert find_series({"columns": {"Cell ID": {"sdtype": "id"}}}, table[["Cell ID"]]) is None


def test_sentinels_are_judged_by_the_column_they_stand_in():
    written = ["65.535", "65.53500366", "2.1"]  # as a float64 and as a float32
    text = pd.DataFrame({"Cell Voltage": written, "PacketCount": ["65.535", "2", "3"]}, dtype="string")
    columns = {name: {"sdtype": "numerical"} for name in text}
    frame = clean_table(text, columns, table="t").frame
    assert frame["Cell Voltage"].isna().tolist() == [True, True, False]
    assert frame["PacketCount"].notna().all()


def test_leading_zeros_of_labels_stay():
    text = pd.DataFrame({"a": ["007", "8"], "b": ["7", "8"]}, dtype="string")
    frame = clean_table(text, {name: {"sdtype": "categorical"} for name in "ab"}, table="t").frame
    assert frame["a"].tolist() == ["007", "8"]
    assert frame["b"].tolist() == [7, 8]


def test_decimal_commas_and_words_for_missing_are_read():
    text = pd.DataFrame({"x": ["2,5", "NaN", None]}, dtype="string")
    frame = clean_table(text, {"x": {"sdtype": "numerical"}}, table="t", decimal_comma=True).frame
    assert frame["x"].tolist()[0] == 2.5
    assert frame["x"].isna().sum() == 2


def test_a_date_in_another_format_is_refused():
    text = pd.DataFrame({"d": ["31/01/2026", "2026-01-31"]}, dtype="string")
    with pytest.raises(InputError, match="data row 2"):
        clean_table(text, {"d": {"sdtype": "datetime", "datetime_format": "%d/%m/%Y"}}, table="t")


def test_a_made_up_name_is_the_same_in_every_column():
    names = Pseudonyms()
    assert names.of(pd.Series(["S9", "S8"])).tolist() == ["synthetic-1", "synthetic-2"]
    assert names.of(pd.Series(["S8/4"])).tolist() == ["synthetic-2/4"]


def test_numbered_strings_and_their_second_twins_get_new_numbers_and_keep_their_cells():
    names = Pseudonyms()
    assert names.of(pd.Series(["7", "7-2", None])).tolist() == [1001, 1002, None]
    assert names.of(pd.Series(["7/4", "7-2/4"])).tolist() == ["1001/4", "1002/4"]
    assert names.of(pd.Series(["007", "7"])).tolist() == ["synthetic-1", "1001"]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (["yes", "no"], ("yes", "no")),
        (["TRUE"], ("TRUE", "FALSE")),
        (["no"], ("yes", "no")),
        (["0"], ("1", "0")),
        ([None], ("True", "False")),
    ],
)
def test_the_spelling_of_truth_values_is_that_of_the_file(written, words):
    text = pd.DataFrame({"x": written}, dtype="string")
    assert clean_table(text, {"x": {"sdtype": "boolean"}}, table="t").truth_words["x"] == words
