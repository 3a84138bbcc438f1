"""The tool visualize_anomalies_3d, from a result file to pictures and words."""

import numpy as np
import pandas as pd
import pytest
from bms_schema.run.tables import write_table

from tests.anomaly.test_plots import LATENT, result, swinging


@pytest.fixture(params=["csv", "parquet"])
def stored(request, tmp_path):
    """Write a result as detect_anomalies does, and return its path."""

    def write(table: pd.DataFrame) -> str:
        path = tmp_path / f"anomalies.{request.param}"
        write_table(table, path)
        return str(path)

    return write


def test_a_stored_result_is_drawn_in_readings_and_in_the_latent_space(call, stored):
    path = stored(result())
    for options, axes in (
        ({}, ["CellVoltage", "CellTemperature", "AmbientTemperature"]),
        ({"space": "latent"}, LATENT),
        ({"x": "Timestamp", "z": "latent_2"}, ["Timestamp", "CellVoltage", "latent_2"]),
    ):
        envelope = call("visualize_anomalies_3d", result_csv=path, **options)
        assert envelope["status"] == "success", envelope["message"]
        data = envelope["data"]
        assert [data["x"], data["y"], data["z"]] == axes
        assert (data["points"], data["anomalies"], data["sensor_faults"]) == (530, 30, 10)
        assert "30 anomalous (10 of them sensor faults) and 500 normal rows" in envelope["message"]


def test_a_stored_result_is_drawn_less_the_median_of_its_string(call, stored):
    data = call("visualize_anomalies_3d", result_csv=stored(swinging()), space="deviations")["data"]
    assert [data["x"], data["y"]] == ["CellVoltage_deviation", "CellTemperature_deviation"]
    assert (data["points"], data["anomalies"]) == (1200, 100)


def test_rows_that_are_not_shown_are_counted(call, stored):
    table = result(rows=100, cell_faults=7_000, sensor_faults=10)
    table.loc[100:104, "CellVoltage"] = np.nan
    message = call("visualize_anomalies_3d", result_csv=stored(table))["message"]
    assert "6,000 anomalous (10 of them" in message and "1,010 anomalous rows are not shown" in message


def test_a_result_of_before_is_drawn_and_its_latent_space_refused(call, stored):
    path = stored(result().drop(columns=[*LATENT, "kind", "about"]))
    assert call("visualize_anomalies_3d", result_csv=path)["data"]["anomalies"] == 30
    refused = call("visualize_anomalies_3d", result_csv=path, space="latent")
    assert refused["status"] == "error" and "a new run of detect_anomalies" in refused["message"]
