"""The page: verdicts first, pictures from tables that can be checked, every text escaped."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_generate.dataset import Dataset
from bms_generate.evaluate import evaluate
from bms_generate.evaluate_plots import (
    draw_autocorrelation,
    draw_distances,
    draw_levels,
    draw_roc,
    prepare_cells,
    prepare_roc,
)
from bms_generate.evaluation_result import as_record, as_result
from bms_generate.report_page import make_page
from bms_generate.telemetry import arrange
from bms_generate.telemetry_roles import find_roles

from tests.generate.telemetry_tables import scores, series

KINDS = {"Cell ID": {"sdtype": "id"}, "Timestamp": {"sdtype": "datetime"}}
NUMBER = {"sdtype": "numerical"}


@pytest.fixture(scope="module")
def judged():
    """Two tables, one with a name that is no HTML, judged against twins of another seed."""
    odd = "a<b>"
    tables = {odd: series(readings=60), "plain": series(readings=60).drop(columns=["Cell ID", "Timestamp"])}
    twins = {name: series(readings=60, seed=8)[list(table)] for name, table in tables.items()}
    described = {
        name: {"columns": {column: KINDS.get(column, NUMBER) for column in table}}
        for name, table in tables.items()
    }
    metadata = {"METADATA_SPEC_VERSION": "V2", "tables": described, "relationships": []}
    real = Dataset(Path("folder"), tables, metadata)
    told = []
    evaluation = evaluate(real, twins, told.append)
    assert told == ["SDV's reports", "measuring a<b>", "measuring plain"]
    return evaluation, make_page(evaluation, real, twins)


def test_the_verdicts_stand_first_and_every_reason_with_its_answer(judged):
    evaluation, page = judged
    assert page.index("Share it?") < page.index("Train on it?") < page.index("Memory in time")
    titles = re.findall(r"<h[23]>(Memory|Distance|Real or|Cells over|SDV)", page)
    assert titles == ["Memory", "Distance", "Real or", *["Cells over"] * 2, "Distance", "Real or", "SDV"]
    reasons = len(evaluation.share.reasons) + len(evaluation.train.reasons)
    assert len(re.findall(r"<li class=(yes|care|no)>", page)) == reasons


def test_names_are_escaped_and_say_which_table_is_meant(judged):
    evaluation, page = judged
    assert "a<b>" not in page
    assert "a&lt;b&gt;: " in page
    assert all(reason.text.startswith(("a<b>: ", "plain: ")) for reason in evaluation.share.reasons)


def test_the_page_needs_nothing_but_itself(judged):
    _, page = judged
    assert not re.search(r"https?://|<script|<link", page)
    assert page.count("<img ") == page.count("data:image/png;base64,") >= 8


def test_the_record_has_every_measure_and_the_reply_the_main_ones(judged):
    evaluation, _ = judged
    result = as_result(evaluation, Path("folder"), str)
    record = as_record(evaluation, result)
    measures = record["measures"]["a<b>"]
    assert len(measures["autocorrelation"]) == 8  # 2 signals, 4 lags
    assert {"cross_correlation", "variance", "shared", "clock", "roles"} <= set(measures)
    assert [item["records"] for item in measures["nearness"]] == ["rows", "windows"]
    assert "autocorrelation" not in record["measures"]["plain"]
    assert record["train"]["reasons"][0]["answer"] == result.train.answer
    assert result.tables["a<b>"]["two_sample_auroc"] == pytest.approx(measures["two_sample"]["auroc"])
    assert {"lag1_error", "trained_on_real_r2"} <= set(result.tables["a<b>"])
    assert "lag1_error" not in result.tables["plain"]
    windows = measures["nearness"][1]
    deciding = {name: result.tables["a<b>"][name] for name in ("near_windows", "near_windows_real")}
    assert list(deciding.values()) == [windows["near_synthetic"], windows["near_real"]]
    assert result.tables["plain"]["near_windows"] is None


def test_the_reply_says_how_many_columns_only_the_report_has(judged):
    evaluation, _ = judged
    assert as_result(evaluation, Path("folder"), str).in_report_only == {}
    scores = pd.concat([evaluation.sdv.scores] * 3, ignore_index=True)
    scores["column"] += scores.groupby(["table", "column"]).cumcount().astype(str)
    wider = replace(evaluation, sdv=replace(evaluation.sdv, scores=scores))
    result = as_result(wider, Path("folder"), str)
    record = as_record(wider, result)
    assert result.in_report_only["column_scores"] == len(record["column_scores"]) - 12 > 0
    assert record["in_report_only"] == {}


def test_a_reply_on_many_tables_stays_short_and_the_report_has_all(judged):
    evaluation, _ = judged
    some = evaluation.tables["a<b>"]
    many = replace(evaluation, tables={f"table {number}": some for number in range(30)})
    result = as_result(many, Path("folder"), str)
    assert result.in_report_only["tables"] == 30 - len(result.tables) > 0
    assert len(result.model_dump_json()) < 6_000
    assert len(as_record(many, result)["tables"]) == 30


def test_every_cell_is_a_point():
    real = series(cells=2, strings=1, readings=30)
    telemetry = arrange(real, find_roles(real))
    cells = prepare_cells(telemetry, telemetry, ["current", "voltage"])
    assert len(cells) == 8
    first = real[real["Cell ID"] == "S0/C0"]["voltage"]
    point = cells[(cells["signal"] == "voltage") & (cells["side"] == "real")].iloc[0]
    assert (point["level"], point["spread"]) == pytest.approx((first.mean(), first.std(ddof=0)))


def test_the_area_under_a_curve_is_the_folds_auroc():
    found = scores("sibling").two_sample
    curves = prepare_roc(found)
    for number, (_, curve) in enumerate(curves.groupby("fold")):
        area = np.trapezoid(curve["found"], curve["false_alarms"])
        assert area == pytest.approx(found.folds[number], abs=1e-9)


def test_copies_jump_at_distance_nought():
    figure = draw_distances([scores("copy").row_nearness])
    synthetic = figure.axes[0].get_lines()[1]
    shares = pd.Series(synthetic.get_ydata(), index=synthetic.get_xdata())
    assert shares[shares.index == 0].max() > 0.6  # three of four references hold the copied string


def test_the_axis_of_distances_shows_what_decides():
    found = scores("sibling").row_nearness
    panel = draw_distances([found]).axes[0]
    limit = panel.get_lines()[2]
    assert limit.get_xdata()[0] == found.limit
    assert (panel.get_xscale(), panel.get_yscale()) == ("symlog", "log")
    place = panel.transData.transform((found.limit, 1.0))[0]
    start, end = panel.transAxes.transform([(0, 0), (1, 0)])[:, 0]
    assert 0.05 < (place - start) / (end - start) < 0.95
    assert [text.get_text() for text in panel.get_legend().get_texts()][2] == "counts as near"


def test_the_legend_of_the_curves_stands_beside_them():
    found = scores("sibling").two_sample
    axes = draw_roc(prepare_roc(found), found).axes[0]
    beside = axes.get_legend().get_bbox_to_anchor().transformed(axes.transAxes.inverted())
    assert beside.x0 > 1


def test_long_names_are_broken_and_spreads_have_their_unit():
    name = "SystemPeakCurrentInChargeOneCycle"
    table = pd.DataFrame({"signal": name, "lag": [1, 2], "real": 0.5, "synthetic": 0.4})
    title = draw_autocorrelation(table).axes[0].get_title(loc="left")
    assert title.replace("\n", "") == name
    cells = pd.DataFrame({"signal": "CellVoltage", "side": "real", "level": [2.0, 2.1], "spread": [0.1, 0.2]})
    assert "[V]" in draw_levels(cells).axes[0].get_ylabel()
