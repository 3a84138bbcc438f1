"""The tables behind the pictures, and that each picture can be drawn from what there is."""

import numpy as np
import pandas as pd
import pytest
from bms_failure.evidence_plots import draw_budget, draw_reliability, prepare_reliability
from bms_failure.outlook import FLEET, MOST_CURVES, prepare_survival
from bms_failure.plots import draw_deviation, draw_ranking, draw_survival, prepare_deviation, prepare_ranking
from bms_failure.scoring import rank_without_labels

from tests.failure.calm import calm_fleet

HORIZONS = (7, 14)


def ranked(cells: int = 30) -> pd.DataFrame:
    """A ranked table with risks at 7 and 14 days, the riskiest first."""
    risk = np.linspace(0.9, 0.0, cells)
    names = [f"A/{number:02d}" for number in range(cells)]
    return pd.DataFrame(
        {"Cell ID": names, "failing": risk > 0.5, "expected": "about 9 days (2 to 14)", "risk_7d": risk / 2}
    ).assign(risk_14d=risk)


def test_reliability_counts_what_came_true() -> None:
    labels = np.r_[np.zeros(80), np.ones(20)]
    table = prepare_reliability(labels, np.full(100, 0.25), np.arange(100).astype(str))
    assert table["observed"].tolist() == [0.2]
    assert table["cell_days"].tolist() == [100]
    assert table["lo95"].item() == pytest.approx(0.1334, abs=1e-3)  # Wilson, 20 of 100
    assert table["hi95"].item() == pytest.approx(0.2888, abs=1e-3)


def test_reliability_intervals_count_cells_not_days() -> None:
    labels, risk = np.r_[np.zeros(80), np.ones(20)], np.full(100, 0.25)
    few = prepare_reliability(labels, risk, np.repeat(np.arange(10), 10).astype(str))
    many = prepare_reliability(labels, risk, np.arange(100).astype(str))
    assert few["hi95"].item() - few["lo95"].item() > 2 * (many["hi95"].item() - many["lo95"].item())


def test_the_ranking_picture_shows_scores_where_there_is_no_risk() -> None:
    table = rank_without_labels(calm_fleet()).table
    bars = prepare_ranking(table, ())
    assert bars["score"].tolist() == table["indicator_score"].head(20).tolist()
    (axes,) = draw_ranking(bars).axes
    assert "no probability" in axes.get_xlabel()


def test_the_ranking_picture_has_a_bar_per_horizon_and_marks_the_alert_list() -> None:
    bars = prepare_ranking(ranked(), HORIZONS)
    assert bars["7"].tolist() == (bars["14"] / 2).tolist()
    (axes,) = draw_ranking(bars).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["within 7 d", "within 14 d"]
    red = [label.get_color() != "black" for label in axes.get_yticklabels()]
    assert red == bars["failing"].tolist()


def test_the_asked_horizon_has_a_bar_of_its_own() -> None:
    bars = prepare_ranking(ranked().assign(risk=0.01), HORIZONS, asked_days=10)
    assert list(bars)[-3:] == ["7", "10", "14"]
    assert (bars["10"] == 0.01).all()


def test_survival_runs_through_the_risks_at_the_horizons() -> None:
    table = ranked()
    curves = prepare_survival(table, HORIZONS)
    assert list(curves) == [*table["Cell ID"].head(MOST_CURVES), FLEET]
    assert (curves.loc[0.0] == 1.0).all()
    np.testing.assert_allclose(curves.loc[14.0, "A/00"], 0.1, atol=1e-9)
    np.testing.assert_allclose(curves.loc[7.0, FLEET], 1 - table["risk_7d"].median(), atol=1e-9)
    assert (curves.diff().dropna() <= 1e-12).all(axis=None)
    assert len(draw_survival(curves).axes[0].get_lines()) == MOST_CURVES + 2


def test_reliability_and_budget_can_be_drawn() -> None:
    table = prepare_reliability(np.r_[np.zeros(8), np.ones(2)], np.full(10, 0.25), np.arange(10).astype(str))
    assert draw_reliability(table, method="classifier", horizon_days=7).axes[0].get_ylabel()
    curves = pd.DataFrame(
        {
            "method": ["classifier", "classifier", "ohmic_rise", "ohmic_rise"],
            "alerts_per_week": [1.0, 10.0, 1.0, 10.0],
            "recall": [0.2, 0.8, 0.1, 0.3],
            "precision": [1.0, 0.7, 0.5, 0.2],
        }
    )
    labels = [
        line.get_label() for line in draw_budget(curves, chosen="classifier", budget=10.0).axes[0].lines
    ]
    assert labels[:3] == [
        "deaths caught, classifier",
        "alerts that are right, classifier",
        "deaths caught, ohmic rise",
    ]


def test_the_deviation_picture_keeps_the_worst_six() -> None:
    days = pd.date_range("2026-01-01", periods=4)
    moments = pd.DataFrame(
        [{"Cell ID": f"c{cell}", "at": day, "voltage_mv": float(cell)} for cell in range(8) for day in days]
    )
    lines, band = prepare_deviation(moments, [f"c{cell}" for cell in range(8)])
    assert set(lines["Cell ID"]) == {f"c{cell}" for cell in range(6)}
    assert band["low"].tolist() == pytest.approx([0.35] * 4)
    figure = draw_deviation(lines, band, {f"c{cell}": (f"c{cell}: 5 %", "voltage low") for cell in range(6)})
    assert len(figure.axes) == 6
