"""Tables that are no battery logs, or logs with a trap: what the written metadata must not assume."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.metadata_writing import describe_tables
from bms_generate.precleaning import clean_table
from bms_schema.data.reading import RawTable

from tests.generate.sdv_folders import battery_table, succeed, synthetic

ROWS = 60


def described(**tables):
    raw = {name: RawTable(pd.DataFrame(frame).astype("string"), [], False) for name, frame in tables.items()}
    metadata, assumptions = describe_tables(raw)
    return metadata["tables"], "\n".join(assumptions)


def batteries(date="installed"):
    """A row per battery; several stand at a site, installed on different days."""
    days = pd.date_range("2019-01-01", periods=20).strftime("%Y-%m-%d")
    return pd.DataFrame(
        {"battery_id": range(100, 120), "site_id": [f"S{n % 4}" for n in range(20)], date: days}
    )


def readings(repeated=3):
    """Five readings of each battery; a few moments come twice, as loggers send them."""
    hours = pd.date_range("2024-01-01", periods=5, freq="h").strftime("%Y-%m-%d %H:%M:%S")
    table = pd.DataFrame({"battery_id": np.repeat(range(100, 120), 5), "time": np.tile(hours, 20)})
    table.loc[range(1, 5 * repeated, 5), "time"] = hours[0]
    return table.assign(voltage_V=2.2)


def test_a_parent_with_a_row_per_battery_is_no_series_of_its_sites():
    tables, told = described(batteries=batteries("since"), readings=readings())
    assert "sequence_key" not in tables["batteries"]
    assert "batteries: rows are series" not in told


@pytest.mark.parametrize("name", ["battery_id", "asset key"])
def test_a_row_per_battery_is_no_series_without_readings_either(name):
    tables, _ = described(batteries=batteries().rename(columns={"battery_id": name}))
    assert "sequence_key" not in tables["batteries"]


def test_readings_of_which_a_few_come_twice_keep_their_cell_as_sequence_key():
    tables, told = described(batteries=batteries(), readings=readings())
    assert tables["readings"]["sequence_key"] == "battery_id"
    assert "readings: rows are series: one for each battery_id, in the order of time\n" in told


def test_series_without_a_sequence_key_say_why():
    rows = {"string": ["A"] * 30 + ["B"] * 30, "Cell": ["1", "2"] * 30}
    stamps = pd.date_range("2026-03-01", periods=15, freq="h").repeat(2).strftime("%Y-%m-%dT%H:%M:%S")
    tables, told = described(t=rows | {"Timestamp": [*stamps, *stamps]})
    assert "sequence_key" not in tables["t"]
    assert "(no sequence_key: Cell alone does not tell the rows of a moment apart)" in told


def test_one_letter_names_mean_nothing_in_a_table_of_anything():
    values = np.linspace(0, 90, ROWS).round(1)
    tables, told = described(t={"t": values, "a": values, "u": values})
    assert set(map(str, tables["t"]["columns"].values())) == {"{'sdtype': 'numerical'}"}
    assert "range" not in told
    text = pd.DataFrame({"t": ["255", "25"]}, dtype="string")
    assert clean_table(text, {"t": {"sdtype": "numerical"}}, table="t").frame["t"].tolist() == [255.0, 25.0]


@pytest.mark.parametrize(
    "log",
    [
        {"CellVoltage": 2.2, "T": 25.5},
        {"Cell": ["1", "2"] * 30, "Time": pd.date_range("2026", periods=ROWS, freq="h"), "V": 2.2, "T": 25.5},
    ],
)
def test_one_letter_names_are_readings_in_a_battery_log(log):
    tables, _ = described(t=pd.DataFrame(log, index=range(ROWS)))
    assert tables["t"]["columns"]["T"]["range_max"] == 100.0


def test_truth_values_are_among_what_was_assumed():
    _, told = described(t={"income": ["0", "1"] * 30, "married": ["true", "false"] * 30})
    assert "t: 0/1 or true/false, taken as truth values: income, married" in told


def test_a_clock_beside_its_time_stamp_is_told_as_computed_and_not_as_a_label(tmp_path):
    table = battery_table()
    table["Time"] = table["Timestamp"].str[11:]
    (tmp_path / "raw").mkdir()
    table.to_csv(tmp_path / "raw" / "battery.csv", index=False)
    notes = succeed("sdv_generate", folder_name=str(tmp_path / "raw"), write_metadata=True)["notes"]
    told = [note for note in notes if "Time" in note.replace("Timestamp", "")]
    assert "times of day, computed where they are the clock of a time stamp, else labels: Time" in told[0]
    assert "Time is Timestamp as '%H:%M:%S'" in told[1] and len(told) == 2
    made = synthetic(tmp_path / "raw")
    assert (made["Time"] == made["Timestamp"].str[11:]).all()
