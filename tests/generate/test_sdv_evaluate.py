"""Scores are those of SDV, and what SDV does not see is told beside them."""

import json

import numpy as np
import pandas as pd
import pytest
from bms_generate.dataset import Dataset, read_dataset, read_synthetic
from bms_generate.sdv_reports import run_reports
from sdmetrics.reports import QualityReport
from sdv.evaluation import evaluate_quality
from sdv.metadata import Metadata as SdvMetadata

from tests.generate.sdv_folders import SENSORS, call, succeed


@pytest.fixture(scope="module")
def evaluated(twin_source):
    """What is found about the twin of the small table, once; the workspace stays for the files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BMS_HOME", str(twin_source.parent / "home"))
        patch.setenv("BMS_DATA_ROOTS", str(twin_source.parent))
        return succeed("sdv_evaluate", folder_name=str(twin_source))


def test_a_good_twin_scores_well_and_every_score_is_between_0_and_1(evaluated):
    assert 0.8 < evaluated["overall_score"] <= 1
    assert evaluated["properties"]["Data Validity"] == 1.0
    assert evaluated["properties"]["Column Shapes"] > 0.85
    scores = pd.read_csv(evaluated["scores_csv"])
    assert scores["score"].dropna().between(0, 1).all()
    assert {"Column Shapes", "Column Pair Trends", "Data Validity"} <= set(scores["property"])


def test_the_five_weakest_are_named_weakest_first(evaluated):
    scores = [spot["score"] for spot in evaluated["weakest"]]
    assert len(scores) == 5
    assert scores == sorted(scores)
    assert scores[0] == pytest.approx(pd.read_csv(evaluated["scores_csv"])["score"].min(), abs=1e-4)


def test_an_exact_copy_scores_one_and_may_not_be_shared(twin):
    real = pd.read_csv(twin / "battery.csv")
    real.to_csv(twin / "synthetic_data" / "battery.csv", index=False)
    copy = succeed("sdv_evaluate", folder_name=str(twin))
    assert copy["overall_score"] == copy["overall_all_pairs"] == pytest.approx(1.0, abs=1e-6)
    assert copy["weakest"] == []  # nothing is weak where all is perfect
    assert copy["share"]["answer"] == "no"
    assert "100 % of the synthetic rows equal a real one" in " ".join(copy["share"]["reasons"])
    assert copy["tables"]["battery"]["copied_rows"] == 1.0


def test_sdv_does_not_see_shuffled_rows_and_the_verdict_does(twin):
    shuffled = pd.read_csv(twin / "battery.csv")
    order = np.random.default_rng(0).permutation(len(shuffled))
    shuffled[SENSORS] = shuffled[SENSORS].to_numpy()[order]
    shuffled.to_csv(twin / "synthetic_data" / "battery.csv", index=False)
    envelope = call("sdv_evaluate", folder_name=str(twin))
    blind = envelope["data"]
    assert blind["properties"]["Column Shapes"] == pytest.approx(1.0, abs=1e-6)
    lag1 = {memory["column"]: memory for memory in blind["lag1"]}["battery.CellVoltage"]
    assert lag1["real"] > 0.7
    assert abs(lag1["synthetic"]) < 0.3
    assert blind["train"]["answer"] == "no"
    assert any(reason.startswith("Memory: lag-1") for reason in blind["train"]["reasons"])
    assert "Train on it? No: " in envelope["message"]


def test_a_bad_twin_is_found_out(twin):
    made_up = pd.read_csv(twin / "synthetic_data" / "battery.csv")
    made_up["CellTemperature"] = made_up["CellTemperature"] + 30
    made_up.to_csv(twin / "synthetic_data" / "battery.csv", index=False)
    found = succeed("sdv_evaluate", folder_name=str(twin))
    assert found["column_scores"]["battery.CellTemperature"] < 0.1
    assert next(iter(found["column_scores"])) == "battery.CellTemperature"
    assert any("CellTemperature" in spot["what"] for spot in found["weakest"])


def test_the_report_is_one_page_with_its_pictures_inside(evaluated):
    page = open(evaluated["report_html"], encoding="utf-8").read()  # noqa: SIM115, PTH123
    assert page.count("data:image/png;base64,") >= 8
    assert page.index("Share it?") < page.index("Train on it?") < page.index("<img")
    assert "http" not in page
    assert "lag-1" in page


def test_the_json_report_has_every_column_and_no_nan(evaluated):
    with open(evaluated["report_json"], encoding="utf-8") as stream:  # noqa: PTH123
        report = json.load(stream, parse_constant=lambda word: pytest.fail(f"{word} in JSON"))
    assert len(report["column_scores"]) >= len(evaluated["column_scores"])
    assert report["overall_score"] == evaluated["overall_score"]
    assert len(report["train"]["reasons"]) >= len(evaluated["train"]["reasons"]) - 1
    assert report["measures"]["battery"]["roles"]["entity"] == ["Cell ID"]


def test_related_tables_have_relationship_scores(related):
    succeed("sdv_generate", folder_name=str(related))
    found = succeed("sdv_evaluate", folder_name=str(related))
    assert found["properties"]["Relationship Validity"] == 1.0
    assert "Cardinality" in found["properties"]


def test_both_readings_of_the_pair_threshold_are_sdvs_own(twin, evaluated):
    real = read_dataset(twin)
    report = QualityReport()
    report.real_correlation_threshold = report.real_association_threshold = 0
    report.generate(real.tables, read_synthetic(real), real.metadata, verbose=False)
    assert evaluated["overall_all_pairs"] == pytest.approx(report.get_score(), abs=1e-4)
    quality = evaluate_quality(
        real.tables, read_synthetic(real), SdvMetadata.load_from_dict(real.metadata), verbose=False
    )
    assert evaluated["overall_score"] == pytest.approx(quality.get_score(), abs=1e-4)


def test_a_twin_without_rows_is_answered(twin):
    path = twin / "synthetic_data" / "battery.csv"
    pd.read_csv(path).head(0).to_csv(path, index=False)
    envelope = call("sdv_evaluate", folder_name=str(twin))
    assert envelope["status"] == "error"
    assert "battery" in envelope["message"]


def test_a_twin_that_lacks_a_column_is_refused_by_name(twin):
    path = twin / "synthetic_data" / "battery.csv"
    pd.read_csv(path).drop(columns="CellVoltage").to_csv(path, index=False)
    message = call("sdv_evaluate", folder_name=str(twin))["message"]
    assert "CellVoltage" in message


def test_without_a_twin_the_next_step_is_told(battery):
    assert "sdv_generate" in call("sdv_evaluate", folder_name=str(battery))["message"]


def test_one_extreme_value_does_not_move_the_bins_of_both_sides(tmp_path):
    random = np.random.default_rng(0)
    alive = random.random(2000) < 0.9
    real = pd.DataFrame({"voltage": np.where(alive, 2.2, 1.7) + random.normal(0, 0.05, 2000), "alive": alive})
    spiked = real.assign(voltage=real["voltage"].mask(real.index == 0, 9.0))
    kinds = {"voltage": {"sdtype": "numerical"}, "alive": {"sdtype": "boolean"}}
    metadata = {"METADATA_SPEC_VERSION": "V2", "tables": {"t": {"columns": kinds}}, "relationships": []}
    found = run_reports(Dataset(tmp_path, {"t": real}, metadata), {"t": spiked})
    assert found.overall < 0.9 and found.overall_same_bins > 0.99
    again = run_reports(Dataset(tmp_path, {"t": real}, metadata), {"t": spiked})
    assert again.overall == found.overall  # SDV is left as it was
