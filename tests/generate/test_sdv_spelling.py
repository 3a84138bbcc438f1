"""A twin's values are spelt as the real file's: truth values, numbers, identifiers."""

import numpy as np
import pandas as pd
import pytest

from tests.generate.sdv_folders import battery_table, succeed, synthetic, write_battery


def test_truth_values_written_as_digits_are_not_quoted(tmp_path):
    table = battery_table()
    table["alarm"] = table["alarm"].astype(int)
    folder = write_battery(tmp_path / "digits", table)
    succeed("sdv_generate", folder_name=str(folder))
    assert '"0"' not in (folder / "synthetic_data" / "battery.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(("true", "false"), [("yes", "no"), ("TRUE", "FALSE"), ("Y", "N")])
def test_truth_values_keep_the_words_of_the_file(true, false, tmp_path):
    table = battery_table()
    table["alarm"] = np.where(table["alarm"], true, false)
    folder = write_battery(tmp_path / "words", table)
    succeed("sdv_generate", folder_name=str(folder))
    text = pd.read_csv(folder / "synthetic_data" / "battery.csv", dtype="string")["alarm"]
    assert set(text) == {true, false}


@pytest.mark.parametrize("method", ["auto", "trees"])
def test_identifiers_that_are_whole_numbers_stay_whole_numbers_and_are_new(method, tmp_path):
    table = battery_table().assign(serial=lambda rows: rows["string"].str[-1].astype(int) + 40)
    folder = write_battery(tmp_path / "numbers", table)
    succeed("sdv_generate", folder_name=str(folder), rows=len(table) + 200, method=method)
    serial = synthetic(folder)["serial"]
    assert pd.api.types.is_integer_dtype(serial)
    assert not set(serial) & set(table["serial"])


def test_keys_made_by_sdv_are_named_as_other_identifiers_and_still_refer(related):
    succeed("sdv_generate", folder_name=str(related), method="copula")
    cells, readings = synthetic(related, "cells")["Cell ID"], synthetic(related, "readings")["Cell ID"]
    assert cells.tolist() == [f"synthetic-{number}" for number in range(1, len(cells) + 1)]
    assert len(set(readings)) > 1 and set(readings) <= set(cells)
