"""Every picture comes from a tested table, can be drawn of any table, and is left out where it says nothing."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_preprocess.plot_cells import prepare_deviations
from bms_preprocess.plot_missing import prepare_missing, prepare_reasons
from bms_preprocess.plots import draw_pictures
from bms_preprocess.quality import PartQuality
from bms_schema.run.plot_theme import save_png

from tests.preprocess.examined import T0, examined, small


def pictures(raw: pd.DataFrame, folder: Path) -> tuple[PartQuality, list[str]]:
    """Draw and save all pictures of a table, warnings being errors; return what was seen and their names."""
    seen, report = examined(raw)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = draw_pictures(seen, report)
        for picture in drawn:
            assert save_png(picture.figure, folder / f"{picture.name}.png").stat().st_size > 2000
            assert picture.caption.endswith(".")
    return seen, [picture.name for picture in drawn]


def test_a_plain_table_shows_voltage_and_deviation_only(tmp_path: Path) -> None:
    assert pictures(small(n_hours=60), tmp_path)[1] == ["voltage", "deviation"]


def test_a_faulty_table_shows_everything(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    raw = small(n_hours=200, n_cells=5)
    raw["CellVoltage"] = raw["CellVoltage"].astype(float) + rng.normal(0, 0.003, len(raw))
    raw["CellTemperature"] = (raw["CellTemperature"] + rng.normal(0, 0.3, len(raw))).round(1)
    raw.loc[502, "CellVoltage"] += 0.5
    raw.loc[[row for row in range(300, 700) if row % 5 == 3], "CellTemperature"] = 25.0
    raw.loc[100:160, "CellSpecificGravity"] = None
    seen, names = pictures(raw, tmp_path)
    assert names == ["missing", "reasons", "availability", "voltage", "deviation", "masked"]
    traces = {trace.reason: trace for trace in seen.traces}
    assert (traces["spike"].cell, traces["stuck"].cell) == ("A/3", "A/4")
    spike = traces["spike"].table
    assert spike.loc[spike["masked"], "before"].tolist() == pytest.approx([raw.loc[502, "CellVoltage"]])
    assert len(traces["stuck"].table) == 160 and traces["stuck"].table["masked"].sum() > 60


@pytest.mark.parametrize(
    "raw",
    [
        small(n_hours=1, n_cells=1),
        small(n_hours=30, n_cells=1, CellTemperature={3: None}),
        small(n_hours=30, n_cells=96, CellVoltage={3: None}),
        small(n_hours=2, n_cells=2000, CellVoltage={3: 65.535}),
        small(n_hours=60, CellVoltage={3: None}).drop(columns="Timestamp"),
        small(n_hours=60, CellVoltage={3: None}).assign(Timestamp=T0),
        small(n_hours=60).assign(CellSpecificGravity=None, AmbientTemperature=None),
        small(n_hours=30, CellVoltage={3: None}).assign(string="$x^{2$_ \n\u4e2d" * 9),
    ],
    ids=[
        "one reading",
        "one cell",
        "96 cells",
        "2000 cells",
        "no times",
        "one moment",
        "blank columns",
        "odd names",
    ],
)
def test_pictures_can_be_drawn_of_any_table(raw: pd.DataFrame, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # fonts differ between machines
        _, report = examined(raw)
        for picture in draw_pictures(*examined(raw)):
            save_png(picture.figure, tmp_path / f"{picture.name}.png")
    assert report["rows"] == len(raw)


def test_the_heat_map_keeps_the_worst_cells_in_natural_order() -> None:
    cells = [
        {
            "Cell ID": f"A/{n}",
            "string": "A",
            "missing_share": {"CellVoltage": n / 200},
            "reasons": {},
            "rows": 9,
        }
        for n in range(150, 0, -1)
    ]
    shares = prepare_missing({"cell_table": cells, "columns": {"CellVoltage": {}}})
    assert [cell for _, cell in shares.index] == [f"A/{n}" for n in range(51, 151)]


def test_changed_readings_are_in_the_heat_map_only_where_cells_differ() -> None:
    def cell(number: int, signs: int) -> dict:
        reasons = {"InstantaneousCurrent": {"sign_restored": signs}, "CellVoltage": {"unit_converted": 10}}
        shares = {"CellVoltage": 0.0, "InstantaneousCurrent": 0.0}
        return {"Cell ID": str(number), "string": "", "missing_share": shares, "reasons": reasons, "rows": 10}

    report = {
        "cell_table": [cell(1, 5), cell(2, 1)],
        "columns": {"CellVoltage": {}, "InstantaneousCurrent": {}},
    }
    shares = prepare_missing(report)
    assert list(shares) == ["CellVoltage", "InstantaneousCurrent", "InstantaneousCurrent changed"]
    assert shares["InstantaneousCurrent changed"].tolist() == [0.5, 0.1]


def test_reasons_keep_the_order_of_the_report_and_only_what_occurs() -> None:
    columns = {"CellVoltage": {"reasons": {"spike": 2, "blank": 1}}, "CellTemperature": {"reasons": {}}}
    table = prepare_reasons({"columns": columns})
    assert list(table) == ["blank", "spike"]
    assert table.index.tolist() == ["CellVoltage"]


def test_deviations_name_the_cell_that_is_far_and_keep_natural_order() -> None:
    raw = small(n_hours=60, n_cells=12)
    raw.loc[raw["Cell ID"] == "A/10", "CellVoltage"] = 2.1
    table = prepare_deviations(examined(raw)[0].cells)["CellVoltage"]
    assert table["cell"].tolist() == [f"A/{n}" for n in range(1, 13)]
    assert table.loc[table["far"], "cell"].tolist() == ["A/10"]
    assert table["median"].iloc[9] == pytest.approx(-0.107, abs=0.003)


def test_voltage_bands_are_per_string_and_never_of_masked_readings(fleet: pd.DataFrame) -> None:
    seen, _ = examined(fleet)
    assert sorted(band.string for band in seen.bands) == ["S001", "S002"]
    for band in seen.bands:
        assert (band.low <= band.median).all() and (band.median <= band.high).all()
        assert (np.diff(band.time.astype("int64")) > 0).all()
        assert band.high.max() < 3.0


def test_voltage_bands_of_many_years_keep_their_order() -> None:
    raw = small(n_hours=12)
    raw["Timestamp"] = T0 + pd.to_timedelta(np.repeat(np.arange(12), 3) * 365, unit="D")
    (band,) = examined(raw)[0].bands
    assert len(band.time) == 6 and set(band.time) <= set(raw["Timestamp"].to_numpy())


def test_the_map_tells_missing_readings_from_missing_rows() -> None:
    raw = small(n_hours=100)
    raw = raw[~((raw["Cell ID"] == "A/2") & (raw.index >= 240))]
    raw.loc[(raw["Cell ID"] == "A/3") & (raw.index < 60), ["CellVoltage", "CellTemperature"]] = [
        65.535,
        65535.0,
    ]
    (found,) = examined(raw)[0].maps
    rows = {cell: found.share[at] for at, cell in enumerate(found.cells)}
    assert np.isnan(rows["A/2"][-8:]).all() and (rows["A/2"][:38] == 0).all()
    assert rows["A/3"][:8] == pytest.approx(2 / 3)
    assert (rows["A/1"] == 0).all()
