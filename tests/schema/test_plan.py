"""A table is surveyed in any parts, decided once, and read alike in any chunks and any order."""

import pickle
from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from bms_schema.data.columns import PREPROCESS_REQUIRED, SENSOR_NAMES
from bms_schema.data.plan import apply_plan, make_plan
from bms_schema.data.survey import merge_surveys, survey_chunk
from bms_schema.data.table import canonical_table, load_battery_table
from bms_schema.run.errors import MissingColumn, UnreadableTable
from bms_schema.run.tables import write_table
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.schema.fleet import small_fleet

ODD = ["65.535", "65535", "n/a", "", None, "0xFFFF", "-3.4028234663852886e+38", "Inf", "7.5", "0", "33169"]
TIMES = ["%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%Y-%m-%dT%H:%M:%S+02:00"]


def odd_export(seed: int) -> pd.DataFrame:
    """Return an export as text in which anything may be odd: values, times, labels, ids, flags from before."""
    rng = np.random.default_rng(seed)
    strings, cells, moments = rng.integers(1, [4, 5, 12]).tolist()
    frame = small_fleet(strings, cells, moments, step="50h", seed=seed)  # some days above 12
    frame["StateOfCharge"] = rng.uniform(0, 1, len(frame)).round(3)
    frame["IsDead"] = (
        rng.choice(["0", "1", ""], len(frame)) if rng.random() < 0.5 else rng.choice(["1", ""], len(frame))
    )
    frame["Site"] = rng.choice(["A", "B"], len(frame))
    frame["Timestamp"] = frame["Timestamp"].dt.strftime(str(rng.choice(TIMES)))
    if rng.random() < 0.5:
        frame["CellTemperature"] = (frame["CellTemperature"] * 10).round()
    if rng.random() < 0.5:
        frame["CellVoltage"] = (frame["CellVoltage"] * 1000).round()
    text = frame.round(4).astype(str)
    for name in [*SENSOR_NAMES, "StateOfCharge", "Timestamp"]:
        odd = rng.random(len(text)) < 0.1
        text[name] = (
            text[name].astype(object).mask(odd, pd.Series(rng.choice(np.array(ODD, dtype=object), len(text))))
        )
    if rng.random() < 0.5:
        text["CellVoltage_flag"] = rng.choice(["", "imputed", "spike", "unit_converted"], len(text))
    if rng.random() < 0.5:
        text = text.drop(
            columns=list(rng.choice(["string", "Site", "IsDead", "AmbientTemperature"], 2, replace=False))
        )
    return text


def parts_of(frame: pd.DataFrame, cuts: list[float]) -> list[pd.DataFrame]:
    edges = sorted({0, len(frame), *(int(cut * len(frame)) for cut in cuts)})
    return [frame.iloc[start:end] for start, end in pairwise(edges)]


CUTS = st.lists(st.floats(0, 1), max_size=5)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), cuts=CUTS, order=st.randoms(use_true_random=False))
def test_surveys_of_parts_add_up_to_the_survey_of_the_whole_in_any_order(seed, cuts, order):
    frame = odd_export(seed)
    surveys = [survey_chunk(part) for part in parts_of(frame, cuts)]
    order.shuffle(surveys)
    merged = merge_surveys([pickle.loads(pickle.dumps(survey)) for survey in surveys])
    np.testing.assert_equal(asdict(merged), asdict(survey_chunk(frame)))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), cuts=CUTS)
def test_the_same_plan_reads_the_whole_and_any_chunks_alike(seed, cuts):
    frame = odd_export(seed)
    try:
        whole = canonical_table(frame, require=PREPROCESS_REQUIRED)
    except (MissingColumn, UnreadableTable):
        return
    parts = parts_of(frame, cuts)
    plan = make_plan(merge_surveys([survey_chunk(part) for part in parts]), require=PREPROCESS_REQUIRED)
    plan = pickle.loads(pickle.dumps(plan))
    rows = np.cumsum([0, *map(len, parts)])
    read = [apply_plan(part, plan, int(row)) for part, row in zip(parts, rows, strict=False)]
    pd.testing.assert_frame_equal(pd.concat(read, ignore_index=True), whole.frame, check_exact=True)
    assert plan.notes == whole.notes


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_shuffled_rows_give_the_same_readings(seed):
    frame = odd_export(seed).assign(source_row=lambda f: range(len(f)))
    shuffled = frame.sample(frac=1, random_state=seed)
    try:
        one = canonical_table(frame, require=PREPROCESS_REQUIRED)
    except (MissingColumn, UnreadableTable):
        with pytest.raises((MissingColumn, UnreadableTable)):
            canonical_table(shuffled, require=PREPROCESS_REQUIRED)
        return
    two = canonical_table(shuffled, require=PREPROCESS_REQUIRED)
    pd.testing.assert_frame_equal(
        one.frame, two.frame.sort_values("source_row").reset_index(drop=True), check_exact=True
    )
    assert one.notes == two.notes


@pytest.mark.parametrize("chunksize", [7, 100, 10_000])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_size_of_chunks_changes_nothing(tmp_path, chunksize, suffix):
    frame = small_fleet().astype({"CellVoltage": object})
    frame["CellVoltage"] = (frame["CellVoltage"] * 1000).astype(float).round()
    frame.loc[200, "CellVoltage"] = 65535.0
    path = write_table(frame, tmp_path / f"export{suffix}")
    table, whole = load_battery_table(path, chunksize=chunksize), load_battery_table(path)
    pd.testing.assert_frame_equal(table.frame, whole.frame)
    assert table.notes == whole.notes
    assert table.corrections == whole.corrections


def test_a_plan_tells_the_rows_of_every_string_and_the_place_of_every_row():
    frame = small_fleet(3, 4, 5)
    plan = make_plan(survey_chunk(frame))
    assert plan.rows_per_string == {"S0": 20, "S1": 20, "S2": 20}
    assert (plan.rows, plan.cells) == (60, 12)
    read = apply_plan(frame, plan)
    counted = read.groupby(["string", "Cell ID"]).size().reset_index(name="rows")
    named = plan.identities.sort_values(["string", "Cell ID"], ignore_index=True)
    assert named.to_dict("list") == counted.to_dict("list")


def test_a_file_that_changed_between_the_passes_is_refused():
    frame = small_fleet()
    plan = make_plan(survey_chunk(frame))
    with pytest.raises(UnreadableTable, match="does not change while it is read"):
        apply_plan(frame.assign(**{"Cell ID": "new"}), plan)


def test_preprocessing_needs_no_room_temperature_but_the_other_servers_do():
    frame = small_fleet().drop(columns="AmbientTemperature")
    assert "AmbientTemperature" not in canonical_table(frame, require=PREPROCESS_REQUIRED).frame
    with pytest.raises(MissingColumn, match="AmbientTemperature"):
        canonical_table(frame)


def test_rows_numbered_twice_are_numbered_anew_however_the_file_is_cut():
    frame = small_fleet().assign(source_row=list(range(120)) * 2)
    frame["Cell ID"] = "1"
    frame["string"] = "A"
    surveys = [survey_chunk(part) for part in parts_of(frame, [0.2, 0.5])]
    assert make_plan(merge_surveys(surveys)).source_row is None
    assert canonical_table(frame).frame["source_row"].tolist() == list(range(240))


def test_a_string_voltage_is_cleaned_and_flagged_but_not_required():
    frame = small_fleet().assign(Vtot=["8.9", "65535"] * 120)
    read = canonical_table(frame).frame
    assert read["StringVoltage"].dropna().eq(8.9).all()
    assert read["StringVoltage_flag"].value_counts()[["", "sentinel"]].tolist() == [120, 120]
    assert "Vtot" not in read


def test_a_value_that_was_converted_says_so_after_reading_it_again():
    frame = small_fleet()
    frame["CellVoltage"] = (frame["CellVoltage"] * 1000).round()
    once = canonical_table(frame)
    again = canonical_table(once.frame)
    assert again.corrections == []
    pd.testing.assert_frame_equal(once.frame, again.frame)


@pytest.mark.parametrize("reason", ["spike", "stuck"])
def test_what_was_masked_keeps_its_reason(reason):
    frame = canonical_table(small_fleet()).frame.astype({"CellVoltage_flag": object})
    frame.loc[3, ["CellVoltage", "CellVoltage_flag"]] = [np.nan, reason]
    assert canonical_table(frame).frame.loc[3, "CellVoltage_flag"] == reason


def test_a_frame_with_one_name_twice_is_refused():
    frame = pd.concat([small_fleet(), small_fleet()[["CellVoltage"]]], axis=1)
    with pytest.raises(UnreadableTable, match="More than one column is called 'CellVoltage'"):
        canonical_table(frame)


def test_rows_without_any_identity_and_tables_without_rows():
    bare = small_fleet(1, 1).drop(columns=["string", "Cell ID"])
    assert make_plan(survey_chunk(bare)).rows_per_string == {"string-1": 30}
    with pytest.raises(MissingColumn, match="hold no usable value"):
        canonical_table(small_fleet().iloc[:0])
