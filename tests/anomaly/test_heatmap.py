"""The heat map: the worst score of every stretch, sensor faults below zero, gaps as gaps, bounded on any fleet."""

import warnings

import numpy as np
import pandas as pd
import pytest
from bms_anomaly.heatmap import (
    BINS,
    MOST_ROWS,
    caption,
    draw_heatmap,
    prepare_heatmap,
    shown_cells,
    time_span,
)
from bms_anomaly.heatmap_page import draw_heatmap_html
from bms_schema.run.plot_theme import save_png

from tests.anomaly.grid import hourly_rows

PIXELS = list(range(BINS))


def scored(moments=100, strings=2, cells=3, seed=0) -> pd.DataFrame:
    """Rows of a quiet fleet, hourly, every score below 1."""
    rows, _ = hourly_rows(moments, strings, cells)
    return rows.assign(anomaly_score=np.random.default_rng(seed).uniform(0, 1, len(rows)), about="")


def pixels_of(table: pd.DataFrame, cell: str) -> np.ndarray:
    return table.loc[table["Cell ID"] == cell, PIXELS].to_numpy(dtype=float)[0]


def test_a_stretch_holds_its_highest_score():
    rows = scored(moments=6000, strings=1, cells=1)
    rows.loc[[1004, 1005, 1006], "anomaly_score"] = [4.0, 9.0, 3.0]
    pixels = pixels_of(prepare_heatmap(rows, *time_span(rows)), "S0/0")
    assert pixels[100] == 9.0 and np.delete(pixels, 100).max() < 1.0


def test_a_fault_of_a_sensor_lies_below_zero():
    rows = scored(moments=6000, strings=1, cells=1)
    rows.loc[[1005, 2005], ["anomaly_score", "about"]] = [[8.0, "sensor"], [7.0, "cell"]]
    pixels = pixels_of(prepare_heatmap(rows, *time_span(rows)), "S0/0")
    assert (pixels[100], pixels[200]) == (-8.0, 7.0)


def test_a_slow_log_is_no_row_of_stripes_but_a_gap_stays_one():
    rows = scored(moments=50, strings=1, cells=2)
    hour = (rows["Timestamp"] - rows["Timestamp"].min()) / pd.Timedelta("1h")
    rows = rows[~((rows["Cell ID"] == "S0/1") & hour.between(20, 29))]
    table = prepare_heatmap(rows, *time_span(rows))
    assert np.isfinite(pixels_of(table, "S0/0")).all()
    assert np.isnan(pixels_of(table, "S0/1")).mean() == pytest.approx(10 / 49, abs=0.01)


def test_a_row_without_an_answer_is_missing_and_not_quiet():
    rows = scored(moments=50, strings=1, cells=1)
    rows.loc[20:24, "anomaly_score"] = np.nan
    missing = np.isnan(pixels_of(prepare_heatmap(rows, *time_span(rows)), "S0/0"))
    assert missing.mean() == pytest.approx(5 / 49, abs=0.01) and missing[250:290].all()


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize(("strings", "cells"), [(5, 3), (3, 300), (410, 2)])
def test_tables_of_strings_show_what_the_table_of_the_file_shows(timed, strings, cells):
    rows = scored(moments=10, strings=strings, cells=cells)
    rows = rows if timed else rows.drop(columns="Timestamp")
    span = time_span(rows)
    parts = [prepare_heatmap(part, *span) for _, part in rows.groupby("string")]
    together = pd.concat(parts, ignore_index=True)
    assert_same_picture(together, prepare_heatmap(rows, *span))


def assert_same_picture(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(shown_cells(left), shown_cells(right))
    assert caption(left, shown_cells(left)) == caption(right, shown_cells(right))


def test_the_worst_cell_of_a_string_is_on_top_and_strings_are_counted_up():
    rows = scored(strings=11, cells=3)
    rows.loc[rows["Cell ID"] == "S10/2", "anomaly_score"] = 5.0
    shown = shown_cells(prepare_heatmap(rows, *time_span(rows)))
    assert shown["string"].tolist() == [f"S{number}" for number in range(11) for _ in range(3)]
    assert shown.loc[shown["string"] == "S10", "Cell ID"].iloc[0] == "S10/2"


@pytest.mark.parametrize(
    ("strings", "cells", "shown_of_each"), [(1, 500, 400), (40, 24, 10), (500, 1, 1)], ids=str
)
def test_large_fleets_show_the_worst_cells_and_say_so(strings, cells, shown_of_each):
    rows = scored(moments=3, strings=strings, cells=cells)
    last = f"S{strings - 1}/{cells - 1}"
    rows.loc[rows["Cell ID"] == last, "anomaly_score"] = 6.0
    table = prepare_heatmap(rows, *time_span(rows))
    shown = shown_cells(table)
    assert len(shown) <= MOST_ROWS and last in set(shown["Cell ID"])
    assert (shown.groupby("string").size() == shown_of_each).all()
    assert caption(table, shown).startswith(f"400 of {strings * cells} cells")


def odd_tables() -> dict[str, pd.DataFrame]:
    rows = scored(moments=30)
    return {
        "plain": rows,
        "no time stamps": rows.drop(columns="Timestamp"),
        "one moment": rows[rows["Timestamp"] == rows["Timestamp"].min()],
        "one cell": rows[rows["Cell ID"] == "S0/0"],
        "no scores": rows.assign(anomaly_score=np.nan),
        "names that matplotlib would read as formulas": rows.assign(string="a$b^c$"),
    }


@pytest.mark.parametrize("kind", odd_tables())
def test_any_table_can_be_drawn_without_a_warning(kind, tmp_path):
    rows = odd_tables()[kind]
    span = time_span(rows)
    table = prepare_heatmap(rows, *span)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = save_png(draw_heatmap(table, *span), tmp_path / "heatmap.png")
        page = draw_heatmap_html(table, *span)
    assert picture.stat().st_size > 5000
    assert len(page.data[0].y) == len(set(page.data[0].y)) == len(table)


def test_the_page_says_score_and_sort_of_fault_on_hover():
    rows = scored(moments=6000, strings=1, cells=1)
    rows.loc[[1005, 2005], ["anomaly_score", "about"]] = [[8.0, "sensor"], [7.0, "cell"]]
    span = time_span(rows)
    said = draw_heatmap_html(prepare_heatmap(rows, *span), *span).data[0].text[0]
    assert (said[100], said[200]) == ("sensor fault 8.0", "7.0")
