"""The quality report counts truly, is plain JSON, and does not depend on how the table was divided."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from bms_preprocess.grouped import grouped_quantiles, runs
from bms_preprocess.plots import draw_pictures
from bms_preprocess.quality import examine_part, merge_parts, quality_report
from bms_preprocess.spread import merge_spreads, spread
from bms_schema.data.features import string_features
from bms_schema.data.moments import moment_codes
from bms_schema.data.suspects import mask_suspects

from tests.preprocess.examined import canonical, examined, small


def test_reasons_are_counted_per_column_and_cell() -> None:
    raw = small(
        CellVoltage={0: 65.535, 1: "broken", 2: 9.0, 3: None},
        CellTemperature={0: 65535.0},
        CellSpecificGravity={0: 59.749},
    )
    _, report = examined(raw)
    assert report["columns"]["CellVoltage"]["reasons"] == {
        "blank": 1,
        "not_a_number": 1,
        "sentinel": 1,
        "out_of_range": 1,
    }
    assert (report["readings_masked"], report["readings_blank"]) == (5, 1)
    assert report["rows_without_any_cell_reading"] == 1
    cells = {cell["Cell ID"]: cell for cell in report["cell_table"]}
    assert report["cell_table"][0]["Cell ID"] == "A/1"
    assert cells["A/1"]["missing_share"]["CellVoltage"] == pytest.approx(2 / 12, abs=1e-6)
    assert cells["A/1"]["reasons"]["CellVoltage"] == {"sentinel": 1, "blank": 1}
    assert cells["A/2"]["masked"] == 1


def test_the_report_is_plain_json_with_counts_at_the_top() -> None:
    _, report = examined(small())
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert (report["rows"], report["cells"], report["strings"]) == (36, 3, 1)
    assert report["time"]["usual_step_s"] == 3600.0
    assert report["columns"]["CellVoltage"]["median"] == pytest.approx(2.203)


def test_units_and_signs_put_right_are_counted_apart_from_missing_readings() -> None:
    raw = small(n_hours=40)
    raw["CellVoltage"] = (raw["CellVoltage"].astype(float) * 1000).round()
    _, report = examined(raw)
    assert report["readings_changed"] == len(raw)
    assert report["readings_masked"] == 0
    assert report["columns"]["CellVoltage"]["missing_share"] == 0.0
    (correction,) = report["corrections"]
    assert (correction["column"], correction["how"], correction["readings"]) == ("CellVoltage", "mV", 120)


def fleet_with_faults(fleet: pd.DataFrame) -> pd.DataFrame:
    """Return the fleet of two strings, a third without ids of its own, gaps, spikes, a stuck sensor, blanks."""
    third = fleet[fleet["string"] == fleet["string"].iloc[0]].assign(string="T")
    third["Cell ID"] = third["Cell ID"].str.replace(r"^[^/]*", "T", regex=True)
    raw = pd.concat([fleet, third], ignore_index=True).drop(columns="source_row")
    at = raw.index[(raw["string"] == "T") & raw["Cell ID"].str.endswith("2")]
    raw.loc[at[60:90], "CellTemperature"] = 21.0
    raw.loc[at[[20, 50]], "CellVoltage"] += 0.4
    raw.loc[at[10:14], "CellVoltage"] = np.nan
    late = raw["Timestamp"] > raw["Timestamp"].median()
    raw.loc[late, "Timestamp"] += pd.Timedelta(days=2)
    return raw


@pytest.mark.parametrize("shuffled", [False, True])
def test_the_report_is_the_same_however_the_table_was_divided(fleet: pd.DataFrame, shuffled: bool) -> None:
    raw = fleet_with_faults(fleet)
    if shuffled:
        raw = raw.assign(source_row=np.arange(len(raw))).sample(frac=1.0, random_state=5)
    table = canonical(raw)
    masked = mask_suspects(table.frame, moment_codes(table.frame))
    deviations = string_features(masked, moment_codes(masked))

    def examine(rows: np.ndarray):
        parts = [part.iloc[rows].reset_index(drop=True) for part in (masked, deviations, table.frame)]
        return examine_part(parts[0], parts[1], table.chemistry, before=parts[2])

    whole = examine(np.arange(len(masked)))
    strings = [np.flatnonzero(masked["string"] == name) for name in masked["string"].unique()]
    parts = [pickle.loads(pickle.dumps(examine(rows))) for rows in strings]
    texts = [
        json.dumps(quality_report(seen, table.chemistry, table.notes, table.corrections), allow_nan=False)
        for seen in (whole, merge_parts(parts), merge_parts([merge_parts(parts[1:]), parts[0]]))
    ]
    assert texts[0] == texts[1] == texts[2]
    found = json.loads(texts[0])
    assert found["gaps"] and found["longest_stuck"] and "spike" in found["columns"]["CellVoltage"]["reasons"]
    drawn = [
        [(trace.cell, trace.column, trace.masked) for trace in seen.traces]
        for seen in (whole, merge_parts(parts[::-1]))
    ]
    assert drawn[0] == drawn[1] and drawn[0]
    assert len(draw_pictures(merge_parts(parts), found)) == 6


def test_what_is_kept_of_a_table_stays_small_however_many_rows(fleet: pd.DataFrame) -> None:
    sizes = []
    for days in (30, 300):
        raw = small(n_hours=24 * days, n_cells=4)
        seen, _ = examined(raw.sample(frac=0.9, random_state=1).sort_index())
        sizes.append(len(pickle.dumps(seen)))
    assert sizes[1] < 2 * sizes[0] < 200_000


def test_a_median_is_that_of_all_parts_and_exact_for_readings_far_enough_apart() -> None:
    rng = np.random.default_rng(2)
    values = np.round(rng.normal(2.2, 0.05, 3000), 3)
    parts = [spread(part) for part in np.split(values, [100, 1700])]
    merged = merge_spreads(parts[::-1])
    assert (merged.count, merged.minimum, merged.highest) == (3000, values.min(), values.max())
    assert merged.median == np.sort(values)[1499]
    assert spread(-values).median == -np.sort(values)[1500]


def test_a_column_without_a_reading_has_no_median() -> None:
    merged = merge_spreads([spread(np.array([np.nan])), spread(np.array([]))])
    assert merged.count == 0 and np.isnan(merged.median) and np.isnan(merged.highest)


def test_grouped_quantiles_agree_with_numpy() -> None:
    rng = np.random.default_rng(4)
    values, codes = rng.normal(size=500), rng.integers(0, 7, 500)
    values[rng.random(500) < 0.2] = np.nan
    table = grouped_quantiles(values, codes, 8, (0.05, 0.5, 0.95))
    for code in range(7):
        known = values[(codes == code) & np.isfinite(values)]
        assert table[code].tolist() == np.quantile(known, [0.05, 0.5, 0.95], method="lower").tolist()
    assert np.isnan(table[7]).all()


def test_runs_end_with_their_unit() -> None:
    first, last = runs(np.array([True, True, True, False, True]), np.array([0, 0, 1, 1, 2]))
    assert (first.tolist(), last.tolist()) == ([0, 2, 4], [1, 2, 4])


def test_a_table_of_many_cells_lists_the_worst_and_counts_all() -> None:
    raw = small(n_hours=2, n_cells=2500, CellVoltage={7: None})
    _, report = examined(raw)
    assert report["cells"] == 2500
    assert len(report["cell_table"]) == 2000
    assert report["cell_table"][0]["Cell ID"] == "A/8"
