"""The SDV folder is what SDV itself accepts."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_preprocess import sdv_folder
from bms_preprocess.sdv_folder import choose_cells, sdv_metadata, sdv_table, write_sdv_folder
from bms_schema.data.table import canonical_table


def cells_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `Cell ID`, `string` and `rows` of every cell of a canonical frame."""
    cells = frame.groupby("Cell ID").agg(string=("string", "first"), rows=("string", "size"))
    return cells.reset_index()


def write(frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    table = canonical_table(frame)
    write_sdv_folder(sdv_table(table.frame), table.limits, folder)
    return pd.read_csv(folder / "battery.csv")


def chosen(frame: pd.DataFrame) -> pd.DataFrame:
    return sdv_table(choose_cells(cells_of(frame)).rows_of(frame))


@pytest.mark.parametrize("shift", ["0s", "250ms"])
def test_sdv_accepts_metadata_and_data(fleet: pd.DataFrame, tmp_path: Path, shift: str) -> None:
    from sdv.io.local import CSVHandler
    from sdv.metadata import Metadata

    written = write(fleet.assign(Timestamp=fleet["Timestamp"] + pd.Timedelta(shift)), tmp_path)
    metadata = Metadata.load_from_json(str(tmp_path / "metadata.json"))
    metadata.validate()
    data = CSVHandler().read(str(tmp_path))
    metadata.validate_data(data)
    assert list(data) == ["battery"]
    assert len(data["battery"]) == len(written) == len(fleet)


def test_no_sentinel_and_no_imputed_reading_gets_in(fleet: pd.DataFrame, tmp_path: Path) -> None:
    table = canonical_table(
        fleet.assign(CellVoltage_flag=np.where(np.arange(len(fleet)) < 10, "imputed", ""))
    )
    written = sdv_table(table.frame)
    assert written["CellVoltage"].head(10).isna().all()
    assert written["CellVoltage"].max() < 3.0
    assert "Remark" not in written


def test_ranges_are_the_plausible_ones_not_those_seen(fleet: pd.DataFrame, tmp_path: Path) -> None:
    write(fleet, tmp_path)
    metadata = json.loads((tmp_path / "metadata.json").read_text())
    columns = metadata["tables"]["battery"]["columns"]
    assert columns["CellVoltage"] == {
        "sdtype": "numerical",
        "range_min": -0.5,
        "range_max": 3.0,
        "range_is_nullable": True,
    }
    assert columns["Timestamp"] == {"sdtype": "datetime", "datetime_format": "%Y-%m-%dT%H:%M:%S"}
    assert columns["Cell ID"] == columns["string"] == {"sdtype": "id"}
    assert columns["IsDead"] == {"sdtype": "categorical"}


def test_a_large_table_is_cut_to_whole_cells_of_whole_strings(
    fleet: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdv_folder, "MOST_ROWS", 900)
    monkeypatch.setattr(sdv_folder, "FEWEST_CELLS", 2)
    frame = canonical_table(fleet).frame
    table = chosen(frame)
    assert (table["Cell ID"].value_counts() == 120).all()
    assert table["Cell ID"].nunique() == 7
    assert sorted(table.groupby("string")["Cell ID"].nunique()) == [2, 5]
    shuffled = chosen(frame.sample(frac=1.0, random_state=2))
    assert set(shuffled["Cell ID"]) == set(table["Cell ID"])


def test_very_long_cells_give_their_first_readings(
    fleet: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdv_folder, "MOST_ROWS", 100)
    monkeypatch.setattr(sdv_folder, "FEWEST_CELLS", 5)
    table = chosen(canonical_table(fleet.sample(frac=1.0, random_state=2)).frame)
    assert (table["Cell ID"].value_counts() == 20).all()
    assert table["Cell ID"].nunique() == 5
    assert table["Timestamp"].max() == fleet["Timestamp"].min() + pd.Timedelta(hours=19)


def test_a_table_without_times_or_labels_has_neither_in_its_metadata(fleet: pd.DataFrame) -> None:
    table = canonical_table(fleet.drop(columns=["Timestamp", "IsDead"]))
    columns = sdv_metadata(sdv_table(table.frame), table.limits)["tables"]["battery"]["columns"]
    assert not {"Timestamp", "IsDead"} & set(columns)
