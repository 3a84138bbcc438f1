"""The three-dimensional view: which axes, which points, and that no wild value hides the rest."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from bms_anomaly.axes3d import choose_axes
from bms_anomaly.plots import MOST_ANOMALOUS, MOST_NORMAL, draw_3d_png, edge_note, prepare_3d
from bms_anomaly.plots_page import draw_3d_html
from bms_schema.run.errors import InvalidArgument, MissingColumn
from bms_schema.run.plot_theme import save_html, save_png

AUTO = ("auto", "auto", "auto")
LATENT = ["latent_1", "latent_2", "latent_3"]


def swinging(moments=300, cells=4) -> pd.DataFrame:
    """A result of one string that swings by half a volt, of whose cells the last reads 30 mV less in the end."""
    table = result(rows=moments * cells, cell_faults=0, sensor_faults=0)
    moment, cell = np.divmod(np.arange(len(table)), cells)
    low = (cell == cells - 1) & (moment >= 200)
    return table.assign(
        **{"Cell ID": pd.Series(cell).map("S0/{}".format), "string": "S0", "anomaly": low.astype(float)},
        Timestamp=pd.Timestamp("2026-01-01") + pd.to_timedelta(moment, unit="h"),
        CellVoltage=3.7 + 0.25 * np.sin(moment / 20) + 0.001 * cell - 0.03 * low,
    )


def result(rows=500, cell_faults=20, sensor_faults=10, seed=0) -> pd.DataFrame:
    """A detection result as read back: quiet rows, then those of cell faults, then those of sensor faults."""
    rng = np.random.default_rng(seed)
    kinds = np.repeat(["", "drift", "stuck"], [rows, cell_faults, sensor_faults])
    odd = kinds != ""
    return pd.DataFrame(
        {
            "source_row": range(len(kinds)),
            "Cell ID": "S0/1",
            "Timestamp": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(len(kinds)), unit="h"),
            "anomaly_score": np.where(odd, rng.uniform(4, 9, len(kinds)), rng.uniform(0, 1, len(kinds))),
            "anomaly": odd.astype(float),
            "top_signal": "voltage",
            "kind": pd.Series(kinds).replace("", None),
            "about": pd.Series(kinds).map({"": None, "drift": "cell", "stuck": "sensor"}),
            **{name: rng.normal(0, 1, len(kinds)) for name in LATENT},
            "CellVoltage": rng.normal(2.23, 0.01, len(kinds)),
            "CellTemperature": rng.normal(22, 1, len(kinds)),
            "InstantaneousCurrent": 0.5,
            "AmbientTemperature": rng.normal(20, 1, len(kinds)),
        }
    )


@pytest.mark.parametrize(
    ("asked", "space", "chosen"),
    [
        (AUTO, "readings", ["CellVoltage", "CellTemperature", "AmbientTemperature"]),
        (AUTO, "latent", LATENT),
        (("auto", "auto", "CellVoltage"), "latent", ["latent_1", "latent_2", "CellVoltage"]),
        (("Timestamp", "auto", "anomaly_score"), "readings", ["Timestamp", "CellVoltage", "anomaly_score"]),
        (
            ("InstantaneousCurrent", "auto", "auto"),
            "readings",
            ["InstantaneousCurrent", "CellVoltage", "CellTemperature"],
        ),
    ],
)
def test_auto_takes_the_next_axis_that_varies(asked, space, chosen):
    assert choose_axes(result(), asked, space) == chosen


def test_axes_that_cannot_be_drawn_are_told():
    plain = result().drop(columns=LATENT)
    with pytest.raises(MissingColumn, match=r"no values of StateOfCharge.*AmbientTemperature"):
        choose_axes(plain, ("StateOfCharge", "auto", "auto"), "readings")
    with pytest.raises(MissingColumn, match=r"no values of latent_1.*new run of detect_anomalies"):
        choose_axes(plain, AUTO, "latent")
    with pytest.raises(InvalidArgument, match="three different columns"):
        choose_axes(plain, ("CellVoltage", "CellVoltage", "auto"), "readings")
    two = plain[["anomaly_score", "anomaly", "CellVoltage", "InstantaneousCurrent"]]
    with pytest.raises(MissingColumn, match="Only CellVoltage, anomaly_score of the result can be drawn"):
        choose_axes(two, AUTO, "readings")


def test_rows_that_hold_no_axis_at_once_are_told():
    apart = result()
    apart.loc[::2, "CellVoltage"], apart.loc[1::2, "CellTemperature"] = np.nan, np.nan
    with pytest.raises(MissingColumn, match="at once"):
        prepare_3d(apart, AUTO)


def test_cell_and_sensor_faults_are_told_apart():
    points = prepare_3d(result(), AUTO).points
    assert points["sort"].value_counts().to_dict() == {"normal": 500, "cell fault": 20, "sensor fault": 10}
    assert (points.loc[points["sort"] == "sensor fault", "colour"] < -3.9).all()
    assert (points.loc[points["sort"] != "sensor fault", "colour"] >= 0).all()
    old = prepare_3d(result().drop(columns=["kind", "about"]), AUTO).points
    assert old["sort"].value_counts().to_dict() == {"normal": 500, "cell fault": 30}


def test_a_large_result_is_bounded_and_shows_the_worst_of_both_sorts():
    table = result(rows=50_000, cell_faults=20_000, sensor_faults=100)
    shown = prepare_3d(table, AUTO).points
    counts = shown["sort"].value_counts()
    assert counts.to_dict() == {
        "normal": MOST_NORMAL,
        "cell fault": MOST_ANOMALOUS - 100,
        "sensor fault": 100,
    }
    worst = table.loc[table["about"] == "cell", "anomaly_score"].nlargest(MOST_ANOMALOUS - 100)
    assert sorted(shown.loc[shown["sort"] == "cell fault", "anomaly_score"]) == sorted(worst)


def test_the_seed_chooses_the_normal_rows():
    table = result(rows=50_000)
    one, again, other = (prepare_3d(table, AUTO, seed=seed).points["CellVoltage"] for seed in (1, 1, 2))
    assert one.equals(again) and not one.equals(other)


def test_a_wild_value_is_drawn_on_the_edge_and_told():
    table = result(cell_faults=200)
    table.loc[505, "CellVoltage"] = 60.0
    scene = prepare_3d(table, AUTO)
    wild = scene.points[scene.points["CellVoltage"] == 60.0]
    assert wild["beyond"].all() and wild["x"].item() < 3.0
    assert scene.points["beyond"].sum() == 1 and edge_note(scene) == "1 point far outside drawn on the edge"
    hovered = [
        text
        for trace in draw_3d_html(scene).data
        if trace.customdata is not None
        for text in trace.customdata
    ]
    assert sum("beyond the view: CellVoltage 60" in text for text in hovered) == 1


def test_a_whole_crowd_of_anomalies_is_inside_the_view():
    table = result(cell_faults=200)
    table.loc[500:699, "CellVoltage"] -= 1.0
    assert not prepare_3d(table, AUTO).points["beyond"].any()


def test_deviations_show_what_a_swinging_string_hides():
    scene = prepare_3d(swinging(), ("auto", "auto", "Timestamp"), space="deviations")
    assert scene.axes == ["CellVoltage_deviation", "CellTemperature_deviation", "Timestamp"]
    assert scene.labels[0] == "Cell voltage less string's [V]"
    odd = scene.points["anomaly"] == 1
    assert scene.points.loc[odd, "x"].to_numpy() == pytest.approx(-0.0275)
    assert scene.points.loc[~odd, "x"].abs().max() < 0.002


def test_deviations_of_strings_of_two_are_refused():
    with pytest.raises(MissingColumn, match="strings of three cells"):
        prepare_3d(swinging(cells=2), AUTO, space="deviations")


def test_time_is_drawn_in_days_from_the_first_row():
    scene = prepare_3d(result(), ("Timestamp", "auto", "auto"))
    assert scene.labels[0] == "Days since 2026-01-01 00:00"
    assert (scene.points["x"].min(), scene.points["x"].max()) == pytest.approx((0.0, 529 / 24))


def odd_results() -> dict[str, pd.DataFrame]:
    table = result()
    return {
        "plain": table,
        "no anomaly": table.head(500),
        "only anomalies": table.tail(30),
        "one row of each": result(rows=2, cell_faults=1, sensor_faults=1),
        "no time stamps": table.drop(columns="Timestamp"),
        "no time in some rows": table.assign(Timestamp=table["Timestamp"].where(table.index % 2 == 0)),
        "without kinds": table.drop(columns=["kind", "about", "top_signal"]),
        "voltage alone": table.drop(
            columns=["CellTemperature", "AmbientTemperature", "InstantaneousCurrent"]
        ),
    }


@pytest.mark.parametrize("kind", odd_results())
def test_any_result_can_be_drawn_without_a_warning(kind, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scene = prepare_3d(odd_results()[kind], AUTO)
        assert save_png(draw_3d_png(scene), tmp_path / "view.png").stat().st_size > 10_000
        page = draw_3d_html(scene)
    shown = sum(len(trace.customdata) for trace in page.data if trace.customdata is not None)
    assert shown == len(scene.points) == len(odd_results()[kind])


def test_the_page_of_a_large_result_stays_below_six_megabytes(tmp_path):
    table = result(rows=50_000, cell_faults=10_000, sensor_faults=10_000)
    page = save_html(draw_3d_html(prepare_3d(table, AUTO)), tmp_path / "view.html")
    assert page.stat().st_size < 6e6


def test_hovering_tells_cell_time_score_and_kind():
    texts = [
        text
        for trace in draw_3d_html(prepare_3d(result(), AUTO)).data
        if trace.customdata is not None
        for text in trace.customdata
    ]
    assert (
        sum(
            bool(re.fullmatch(r"S0/1<br>2026-01-\d\d \d\d:00:00<br>score \d\.\d, stuck, voltage", text))
            for text in texts
        )
        == 10
    )
