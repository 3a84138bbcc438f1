"""A twin looks like the real tables, keeps what is no random variable, and comes whole or not at all."""

import json

import numpy as np
import pandas as pd
import pytest
from bms_generate.dataset import read_dataset
from bms_generate.synthesize import synthesize

from tests.generate.sdv_folders import (
    CATEGORICAL,
    NUMERICAL,
    SENSORS,
    battery_table,
    call,
    succeed,
    synthetic,
    write_battery,
    write_folder,
    write_related,
)

THREE = ["CellVoltage", "CellTemperature", "CellSpecificGravity"]


def made(folder, **arguments):
    options = {"rows": None, "scale": 1.0, "seed": 0, "progress": lambda *_: None} | arguments
    return synthesize(read_dataset(folder), **options).tables


def test_the_twin_has_the_real_columns_rows_and_spelling(twin):
    real, made_up = pd.read_csv(twin / "battery.csv"), synthetic(twin)
    assert list(made_up) == list(real)
    assert len(made_up) == len(real)
    assert made_up["source_row"].tolist() == list(range(len(real)))
    assert set(made_up["alarm"]) == {True, False}
    assert set(made_up["firmware"]) == {"v7"}
    assert made_up["empty"].isna().all()
    assert made_up["Timestamp"].str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d").all()
    for name, decimals in {"CellVoltage": 3, "CellTemperature": 2, "InstantaneousCurrent": 1}.items():
        values = made_up[name].dropna()
        assert np.allclose(values, values.round(decimals), atol=1e-9)


def test_distributions_follow_the_real_ones_spikes_included(twin):
    real, made_up = pd.read_csv(twin / "battery.csv"), synthetic(twin)
    answered = real[real["CellVoltage"] < 65]
    # Six cells that wander like random walks: another six lie elsewhere, and only many of them together tell.
    many = pd.concat([made(twin, seed=seed)["battery"] for seed in range(5)])
    for name in ("CellVoltage", "CellTemperature"):
        spread = answered[name].quantile(0.9) - answered[name].quantile(0.1)
        for quantile in (0.1, 0.5, 0.9):
            assert abs(many[name].quantile(quantile) - answered[name].quantile(quantile)) < 0.4 * spread
    assert (made_up["InstantaneousCurrent"] == 0).mean() == pytest.approx(
        (real["InstantaneousCurrent"] == 0).mean(), abs=0.08
    )
    assert made_up["CellVoltage"].corr(made_up["CellTemperature"]) > 0.9


def test_no_answer_values_become_missing_together(twin):
    gaps = synthetic(twin)[THREE].isna()
    assert synthetic(twin)[THREE].max().max() < 65
    assert gaps.any(axis=1).sum() == gaps.all(axis=1).sum()
    assert gaps.all(axis=1).mean() == pytest.approx(0.1, abs=0.06)


def test_rare_gaps_stay_rare(tmp_path):
    table = battery_table()
    table[THREE] = table[THREE].where(table[THREE] < 50)
    table[THREE] = table[THREE].ffill().bfill()
    table.loc[[5, 50], THREE] = 65.535, 65535.0, 59.749
    folder = write_battery(tmp_path / "rare", table)
    assert made(folder)["battery"]["CellVoltage"].isna().mean() < 0.05


def test_synthetic_cells_have_the_real_grid_and_made_up_names(twin):
    real, made_up = pd.read_csv(twin / "battery.csv"), synthetic(twin)
    assert not set(made_up["Cell ID"]) & set(real["Cell ID"])
    assert not set(made_up["serial"]) & set(real["serial"])
    assert made_up["Cell ID"].nunique() == real["Cell ID"].nunique()
    assert not made_up.duplicated(["Cell ID", "Timestamp"]).any()
    for _, cell in made_up.groupby("Cell ID"):
        assert (pd.to_datetime(cell["Timestamp"]).diff().dropna() == pd.Timedelta(hours=1)).all()
        assert cell["string"].nunique() == cell["serial"].nunique() == 1
    by_string = made_up.groupby("string")["Cell ID"].agg(lambda names: names.str.split("/").str[0].nunique())
    assert (by_string == 1).all()


@pytest.mark.parametrize("rows", [3, 60, 500])
def test_rows_are_as_asked_string_by_string(battery, rows):
    table = made(battery, rows=rows)["battery"]
    assert len(table) == rows
    assert not table.duplicated(["Cell ID", "Timestamp"]).any()
    sizes = table.groupby("string", sort=False).size().tolist()
    assert sizes[:-1] == [120] * (len(sizes) - 1) and sizes[-1] <= 120


def test_equal_seeds_give_equal_tables_and_others_do_not(battery):
    first, again, other = (made(battery, seed=seed)["battery"] for seed in (7, 7, 8))
    pd.testing.assert_frame_equal(first, again)
    for name in SENSORS:
        assert not first[name].equals(other[name])


@pytest.mark.parametrize("method", ["auto", "copula"])
def test_related_tables_refer_to_each_other_and_obey_the_seed(related, method):
    succeed("sdv_generate", folder_name=str(related), seed=1, method=method)
    cells, readings = synthetic(related, "cells"), synthetic(related, "readings")
    assert set(readings["Cell ID"]) <= set(cells["Cell ID"])
    assert not readings.duplicated(["Cell ID", "Timestamp"]).any()
    assert set(cells["site"]) <= {"n", "s"}
    first, again, other = (made(related, seed=seed, method=method)["readings"] for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first["CellVoltage"].equals(other["CellVoltage"])


def test_readings_that_refer_to_cells_keep_their_memory_and_each_cell_has_its_row(related):
    answer = succeed("sdv_generate", folder_name=str(related), seed=1)
    assert answer["method"] == {"cells": "SequentialTrees", "readings": "FleetSynthesizer"}
    assert any("Cell ID names the rows of cells in turn" in note for note in answer["notes"])
    cells, readings = synthetic(related, "cells"), synthetic(related, "readings")
    assert set(readings["Cell ID"]) == set(cells["Cell ID"])
    memory = readings.groupby("Cell ID")["CellTemperature"].agg(lambda series: series.autocorr())
    assert memory.mean() > 0.4  # rows drawn one by one have 0


@pytest.mark.parametrize("method", ["auto", "trees", "copula"])
def test_a_foreign_key_missing_in_every_row_stays_missing(related, method):
    readings, cells = (pd.read_csv(related / f"{name}.csv") for name in ("readings", "cells"))
    readings.assign(**{"Cell ID": None}).to_csv(related / "readings.csv", index=False)
    more = cells.assign(**{"Cell ID": cells["Cell ID"] + "b"})
    pd.concat([cells, more]).to_csv(related / "cells.csv", index=False)
    readings = made(related, method=method)["readings"]
    assert len(readings) == 240 and readings["Cell ID"].isna().all()


def test_times_end_with_the_real_log_also_where_children_are_drawn_parent_by_parent(related):
    readings = made(related, seed=1, method="trees")["readings"]
    assert (
        readings["Timestamp"].max()
        <= pd.to_datetime(pd.read_csv(related / "readings.csv")["Timestamp"]).max()
    )


def test_children_of_different_parents_are_made_of_different_random_numbers(related):
    readings = made(related, seed=1, method="copula")["readings"]
    place = readings.groupby("Cell ID").cumcount()
    wide = readings.pivot_table(index=place, columns="Cell ID", values="CellTemperature")
    between = wide.corr().to_numpy()[np.triu_indices(wide.shape[1], 1)]
    # Plain HMA gives 0.93 here; 40 independent pairs of values give about 0.13.
    assert np.nanmean(np.abs(between)) < 0.3


@pytest.mark.parametrize("method", ["auto", "copula"])
def test_related_tables_keep_correlations_in_spite_of_gaps(related, method):
    readings = made(related, seed=1, method=method)["readings"]
    assert readings["CellVoltage"].isna().any()
    assert readings["CellVoltage"].corr(readings["CellTemperature"]) > 0.8


@pytest.mark.parametrize("method", ["auto", "copula"])
def test_a_scaled_relation_grows(related, method):
    sizes = {name: len(frame) for name, frame in made(related, scale=2.0, method=method).items()}
    assert sizes["cells"] == 12
    assert 350 < sizes["readings"] < 620


def test_a_category_that_follows_another_never_contradicts_it(tmp_path):
    random = np.random.default_rng(0)
    site = random.choice(["a", "b", "c"], 200)
    table = pd.DataFrame(
        {"site": site, "country": np.where(site == "a", "DE", "FR"), "x": random.normal(size=200)}
    )
    columns = {"site": CATEGORICAL, "country": CATEGORICAL, "x": NUMERICAL}
    folder = write_folder(tmp_path / "sites", {"t": table}, {"t": {"columns": columns}})
    pairs = made(folder)["t"][["site", "country"]].drop_duplicates()
    assert {tuple(pair) for pair in pairs.to_numpy()} == {("a", "DE"), ("b", "FR"), ("c", "FR")}


def test_truth_values_written_as_digits_stay_digits(tmp_path):
    table = battery_table()
    table["alarm"] = table["alarm"].astype(int)
    folder = write_battery(tmp_path / "digits", table)
    succeed("sdv_generate", folder_name=str(folder))
    assert set(synthetic(folder)["alarm"]) == {0, 1}


def test_metadata_of_version_1_is_upgraded(tmp_path):
    table = battery_table()[["Cell ID", "Timestamp", "CellVoltage", "firmware"]]
    columns = {
        "Cell ID": {"sdtype": "categorical", "order_by": "alphabetical"},
        "Timestamp": {"sdtype": "datetime", "datetime_format": "%Y-%m-%dT%H:%M:%S"},
        "CellVoltage": {"sdtype": "numerical", "computer_representation": "Float"},
        "firmware": CATEGORICAL,
    }
    folder = write_folder(tmp_path / "old", {"battery": table}, {})
    text = json.dumps({"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": columns})
    (folder / "metadata.json").write_text(text)
    assert succeed("sdv_generate", folder_name=str(folder))["tables"] == {"battery": 240}


def test_a_new_twin_replaces_the_old_one_whole(twin):
    (twin / "synthetic_data" / "left_over.csv").write_text("x\n1\n")
    data = succeed("sdv_generate", folder_name=str(twin), rows=20)
    assert [item.name for item in (twin / "synthetic_data").iterdir()] == ["battery.csv"]
    assert len(synthetic(twin)) == data["tables"]["battery"] == 20
    assert sorted(item.name for item in twin.iterdir()) == ["battery.csv", "metadata.json", "synthetic_data"]


def test_a_link_in_the_place_of_the_twin_is_replaced_and_its_target_left_alone(battery, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious.csv").write_text("x\n1\n")
    (battery / "synthetic_data").symlink_to(elsewhere)
    succeed("sdv_generate", folder_name=str(battery))
    assert [item.name for item in elsewhere.iterdir()] == ["precious.csv"]
    assert not (battery / "synthetic_data").is_symlink()


def test_a_failed_run_leaves_the_old_twin(twin):
    before = (twin / "synthetic_data" / "battery.csv").read_bytes()
    (twin / "battery.csv").write_text(",".join(battery_table().columns) + "\n")
    assert call("sdv_generate", folder_name=str(twin))["status"] == "error"
    assert (twin / "synthetic_data" / "battery.csv").read_bytes() == before


def test_the_run_folder_tells_all_it_takes_to_repeat(battery, workspace):
    succeed("sdv_generate", folder_name=str(battery), seed=5)
    (run,) = (workspace / "runs").iterdir()
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["seed"] == 5
    assert manifest["versions"]["sdv"]
    assert str(battery / "battery.csv") in manifest["inputs"]
    assert "synthetic_data/battery.csv" in manifest["artefacts"]
    assert any("no-answer" in warning for warning in manifest["warnings"])


def test_the_order_of_the_cells_in_the_file_does_not_shift_time(tmp_path):
    table = battery_table().sort_values("Timestamp", kind="stable")
    folder = write_battery(tmp_path / "by_time", table)
    stamps = made(folder)["battery"].groupby("Cell ID")["Timestamp"]
    assert stamps.apply(lambda cell: cell.is_monotonic_increasing).all()


def test_two_folders_with_the_same_tables_give_the_same_twin(tmp_path):
    one, two = (made(write_related(tmp_path / name)) for name in ("one", "two"))
    for name in one:
        pd.testing.assert_frame_equal(one[name], two[name])
