"""The timeline: the worst cells against their string, gaps as gaps, few points that show all, events in words."""

import warnings

import numpy as np
import pandas as pd
import pytest
from bms_anomaly.thinning import MOST_POINTS, thinned
from bms_anomaly.timeline import MOST_CELLS, NOTHING, draw_timeline, prepare_timeline
from bms_anomaly.timeline_page import draw_timeline_html
from bms_schema.run.plot_theme import save_png

from tests.anomaly.grid import START, hourly_rows


def fleet(moments=60, strings=2, cells=4, seed=0) -> pd.DataFrame:
    """A canonical frame, hourly; cell k of a string reads k millivolts more than 2.2 V, give or take nothing."""
    rows, cell = hourly_rows(moments, strings, cells)
    noise = np.random.default_rng(seed).normal(0, 0.1, len(rows))
    return rows.assign(CellVoltage=2.2 + cell / 1000.0, CellTemperature=20.0 + cell + noise)


def scored(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"anomaly": np.zeros(len(frame), dtype="int8")}, index=frame.index)


def event(cell: str, first=10, last=20, kind="drift", about="cell", signal="voltage", peak=5.0):
    return {
        "Cell ID": cell,
        "string": cell.split("/")[0],
        "start": START + pd.Timedelta(hours=first),
        "end": START + pd.Timedelta(hours=last),
        "kind": kind,
        "about": about,
        "signal": signal,
        "peak_score": peak,
        "readings": last - first + 1,
        "evidence": "31 mV below the string",
    }


def prepared(frame: pd.DataFrame, *events: dict) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the timeline of these events, and the events as a table."""
    table = pd.DataFrame(list(events))
    return prepare_timeline(frame, scored(frame), table), table


def test_a_cell_is_shown_in_the_signal_of_its_event_against_its_string():
    table, _ = prepared(fleet(), event("S1/3"), event("S0/1", signal="temperature", kind="thermal"))
    assert table["Cell ID"].unique().tolist() == ["S1/3", "S0/1"]
    volts, degrees = (part for _, part in table.groupby("column", sort=False))
    assert volts["column"].unique() == ["CellVoltage"] and degrees["column"].unique() == ["CellTemperature"]
    assert volts["value"].tolist() == pytest.approx([2.203] * 60)
    assert volts["string_median"].tolist() == pytest.approx([2.2015] * 60)
    assert volts["string_low"].tolist() == pytest.approx([2.2 + 0.05 * 0.003] * 60)
    assert volts["string_high"].tolist() == pytest.approx([2.2 + 0.95 * 0.003] * 60)


def test_a_swinging_string_is_shown_less_its_median():
    frame = fleet(moments=200)
    hour = (frame["Timestamp"] - START) / pd.Timedelta("1h")
    frame["CellVoltage"] += 0.3 * np.sin(hour / 20)
    frame.loc[(frame["Cell ID"] == "S0/1") & hour.between(100, 150), "CellVoltage"] -= 0.03
    table, events = prepared(frame, event("S0/1", 100, 150), event("S0/2", signal="temperature"))
    volts, degrees = (part for _, part in table.groupby("column", sort=False))
    assert volts["relative"].all() and not degrees["relative"].any()
    assert volts["value"].min() == pytest.approx(-0.030) and volts["value"].max() == pytest.approx(-0.0005)
    assert volts["string_median"].to_numpy() == pytest.approx(0.0)
    assert "less its string's median" in draw_timeline(table, events).axes[0].get_ylabel()


def test_the_order_of_rows_does_not_matter():
    shuffled = fleet().sample(frac=1.0, random_state=1, ignore_index=True)
    pd.testing.assert_frame_equal(prepared(shuffled, event("S0/1"))[0], prepared(fleet(), event("S0/1"))[0])


def test_tables_of_strings_make_up_the_table_of_the_file():
    frame, events = fleet(), (event("S1/3"), event("S0/1"))
    parts = [
        prepared(frame[frame["string"] == string], event_)[0]
        for string, event_ in zip(["S1", "S0"], events, strict=True)
    ]
    whole, _ = prepared(frame, *events)
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)


def test_at_most_six_cells_are_shown():
    cells = [f"S{string}/{cell}" for string in range(2) for cell in range(4)]
    assert prepared(fleet(), *map(event, cells))[0]["Cell ID"].unique().tolist() == cells[:MOST_CELLS]


def test_a_gap_breaks_the_line_and_a_missing_reading_does():
    frame = fleet()
    hour = (frame["Timestamp"] - START) / pd.Timedelta("1h")
    frame.loc[(frame["Cell ID"] == "S0/1") & (hour == 50), "CellVoltage"] = np.nan
    table, _ = prepared(frame[~hour.between(20, 39)], event("S0/1"))
    values = table["value"].to_numpy()
    assert len(table) == 40 + 1
    assert np.flatnonzero(np.isnan(values)).tolist() == [20, 31]


def test_a_string_of_two_has_no_spread():
    table, _ = prepared(fleet(cells=2), event("S0/1"))
    assert table[["string_low", "string_median", "string_high"]].isna().all(axis=None)


def test_without_time_stamps_rows_are_counted():
    frame = fleet().drop(columns="Timestamp")
    table, _ = prepared(frame, event("S1/3") | {"start": 87, "end": 200})
    assert table["when"].tolist() == frame.loc[frame["Cell ID"] == "S1/3", "source_row"].tolist()
    assert table["string_median"].tolist() == pytest.approx([2.2015] * 60)


def test_thinning_keeps_every_extreme_and_every_odd_stretch():
    rng = np.random.default_rng(0)
    values, odd = rng.normal(size=200_000), np.zeros(200_000, dtype=bool)
    values[[777, 123_456]] = [50.0, -50.0]
    odd[[150_117]] = True
    odd[60_000:60_300] = True
    values[90_000:91_000] = np.nan
    kept = thinned(values, odd)
    assert len(kept) <= MOST_POINTS and (np.diff(kept) > 0).all()
    assert {777, 123_456, 150_117} <= set(kept.tolist()) and odd[kept].sum() >= 2
    assert np.isnan(values[kept]).any()


def test_a_long_record_is_thinned_with_its_string():
    table, _ = prepared(fleet(moments=20_000, strings=1), event("S0/3"))
    assert 900 < len(table) <= MOST_POINTS
    assert table["string_median"].to_numpy() == pytest.approx(2.2015)


def words(figure) -> str:
    return " | ".join(
        text.get_text() for axis in figure.axes for text in (*axis.texts, axis.title, axis._left_title)
    )


def test_events_are_named_where_they_are_with_kind_peak_and_evidence():
    table, events = prepared(
        fleet(), event("S0/1"), event("S0/1", 40, 45, kind="stuck", about="sensor", peak=4.0)
    )
    said = words(draw_timeline(table, events))
    assert "S0/1: drift 5.0 (+1 more); 31 mV below the string" in said
    assert "drift 5.0 | stuck 4.0" in said
    page = draw_timeline_html(table, events)
    hovered = [text for trace in page.data if trace.hovertext for text in trace.hovertext]
    assert any("kind: stuck" in text and "31 mV" in text for text in hovered) and len(hovered) == 2
    assert {trace.name for trace in page.data} >= {"event: cell fault", "event: sensor fault"}
    assert len(page.layout.shapes) == 2


def test_names_of_events_never_lie_on_each_other():
    crowd = [event("S0/1", hour, hour, peak=9.0 - hour / 10) for hour in range(30)]
    figure = draw_timeline(*prepared(fleet(), *crowd))
    places = sorted(text.get_position()[0] for text in figure.axes[0].texts)
    assert 1 < len(places) < 30 and np.diff(places).min() > 0.05


def test_a_wild_reading_is_an_arrow_at_the_edge_and_does_not_squash_the_axis():
    frame = fleet(moments=300)
    frame.loc[
        (frame["Cell ID"] == "S0/1") & (frame["Timestamp"] == START + pd.Timedelta(hours=15)), "CellVoltage"
    ] = 0.4
    table, events = prepared(frame, event("S0/1"))
    figure = draw_timeline(table, events)
    low, high = figure.axes[0].get_ylim()
    assert low > 2.1 and high < 2.3 and "0.4" in words(figure)
    assert draw_timeline_html(table, events).layout.yaxis.range[0] > 2.1


def test_a_dying_neighbour_does_not_squash_the_axis():
    frame = fleet(moments=300)
    frame.loc[(frame["Cell ID"] == "S0/3") & (frame["source_row"] > 1000), "CellVoltage"] = 0.9
    table, events = prepared(frame, event("S0/1"))
    assert table["string_low"].min() < 1.2
    assert draw_timeline(table, events).axes[0].get_ylim()[0] > 1.4


def odd_fleets() -> dict[str, tuple[pd.DataFrame, list[dict]]]:
    frame = fleet()
    return {
        "no event": (frame, []),
        "one cell": (frame[frame["Cell ID"] == "S0/1"], [event("S0/1")]),
        "one row": (frame[frame["Cell ID"] == "S0/1"].head(1), [event("S0/1", 0, 0)]),
        "no readings of the signal": (frame.assign(CellVoltage=np.nan), [event("S0/1")]),
        "no time in the cell": (
            frame.assign(Timestamp=frame["Timestamp"].where(frame["Cell ID"] != "S0/1")),
            [event("S0/1") | {"start": pd.NaT, "end": pd.NaT}, event("S1/1")],
        ),
        "a formula as name": (frame.replace("S0/1", "a$b^c$"), [event("S0/1") | {"Cell ID": "a$b^c$"}]),
        "no gravity": (frame, [event("S0/1", signal="resistance")]),
    }


@pytest.mark.parametrize("kind", odd_fleets())
def test_any_fleet_can_be_drawn_without_a_warning(kind, tmp_path):
    frame, listed = odd_fleets()[kind]
    events = pd.DataFrame(listed, columns=list(event("S0/1")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = prepare_timeline(frame, scored(frame), events)
        figure = draw_timeline(table, events)
        assert save_png(figure, tmp_path / "timeline.png").stat().st_size > 3000
        assert draw_timeline_html(table, events).to_json()
    assert (NOTHING in words(figure)) == (kind == "no event")
