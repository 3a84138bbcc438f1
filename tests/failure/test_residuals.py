"""Residuals against a cell's own past, and the hazard between its edges."""

import numpy as np
import pandas as pd
import pytest
from bms_failure.hazard import person_periods, risk_between, risk_of_hazards, time_of_risk
from bms_failure.residuals import CHANNELS, block_residuals
from bms_schema.data.moments import order_cells
from hypothesis import given, settings
from hypothesis import strategies as st

EDGES = (7, 14, 30)


def blocks(days: int, seed: int = 0) -> pd.DataFrame:
    """One cell, four quiet blocks a day."""
    rng = np.random.default_rng(seed)
    n = 4 * days
    return pd.DataFrame(
        {
            "Cell ID": "a",
            "Timestamp": pd.Timestamp("2026-01-01") + pd.to_timedelta(6 * np.arange(n), unit="h"),
            "source_row": np.arange(n),
            "voltage_mv": 20.0 + 4.0 * rng.standard_normal(n),
            "temperature_c": 0.5 * rng.standard_normal(n),
            "gravity": 0.002 * rng.standard_normal(n),
        }
    )


def residuals(table: pd.DataFrame) -> pd.DataFrame:
    return block_residuals(table, order_cells(table[["Cell ID", "Timestamp", "source_row"]]))


def test_residuals_agree_with_a_slow_computation() -> None:
    table = blocks(days=120)
    table.loc[60:80, "gravity"] = np.nan
    found = residuals(table)
    day = np.arange(len(table)) / 4
    for row, (newest, oldest) in {479: (14, 90), 300: (14, 90), 50: (7, 30)}.items():
        past = (day > day[row] - oldest) & (day <= day[row] - newest)
        for name, (signal, _, _, floor) in CHANNELS.items():
            known = table.loc[past, signal].dropna()
            expected = (table.loc[row, signal] - known.mean()) / max(known.std(ddof=0), floor)
            assert found.loc[row, name] == pytest.approx(expected, rel=1e-6), (row, name)


def test_one_sensor_that_fails_is_confirmed_by_no_other() -> None:
    table = blocks(days=60)
    table.loc[230:, "voltage_mv"] -= 140.0
    found = residuals(table).iloc[230:]
    assert (found["voltage_residual"] == -10.0).all()
    assert found["joint_residual"].mean() == pytest.approx(10.0 / 3.0, abs=1.0)
    assert found["second_residual"].mean() < 1.5


def test_without_gravity_the_others_still_speak() -> None:
    table = blocks(days=60).assign(gravity=np.nan)
    table.loc[230:, "voltage_mv"] -= 140.0
    table.loc[230:, "temperature_c"] += 4.0
    found = residuals(table).iloc[230:]
    assert found["gravity_residual"].isna().all()
    assert (found["second_residual"] > 3.0).all()
    alone = residuals(table.assign(temperature_c=np.nan)).iloc[230:]
    assert alone["second_residual"].isna().all()
    assert (alone["joint_residual"] == 10.0).all()


def test_a_young_cell_has_no_past_to_stand_against() -> None:
    assert residuals(blocks(days=8)).isna().all().all()


def test_an_interval_counts_where_the_record_watched_all_of_it() -> None:
    ahead = np.array([3.0, 10.0, np.nan, 20.0])
    watched = np.array([40.0, 40.0, 15.0, 25.0])
    found = person_periods(ahead, watched, EDGES)
    rows = list(zip(found.row, found.interval, found.event, strict=True))
    # The last death, in an interval whose end nobody saw, is censored like a survivor's would be.
    assert rows == [(0, 0, 1), (1, 0, 0), (1, 1, 1), (2, 0, 0), (2, 1, 0), (3, 0, 0), (3, 1, 0)]


@settings(max_examples=50, deadline=None)
@given(
    hazards=st.lists(st.floats(0.0, 0.99), min_size=3, max_size=3),
    days=st.floats(0.0, 30.0),
    later=st.floats(0.0, 30.0),
)
def test_risk_never_falls_with_time_and_meets_the_edges(
    hazards: list[float], days: float, later: float
) -> None:
    risks = risk_of_hazards(np.array([hazards]))
    early, late = (risk_between(risks, EDGES, np.array([at]))[0] for at in sorted((days, later)))
    assert early <= late + 1e-12
    at_edges = [risk_between(risks, EDGES, np.array([float(edge)]))[0] for edge in EDGES]
    np.testing.assert_allclose(at_edges, risks[0], atol=1e-8)


@settings(max_examples=50, deadline=None)
@given(hazards=st.lists(st.floats(0.01, 0.9), min_size=3, max_size=3), wanted=st.floats(0.05, 0.95))
def test_the_time_of_a_risk_is_where_the_curve_reaches_it(hazards: list[float], wanted: float) -> None:
    risks = risk_of_hazards(np.array([hazards]))
    found = time_of_risk(risks, EDGES, wanted)
    if risks[0, -1] < wanted:
        assert np.isnan(found[0])
    else:
        assert risk_between(risks, EDGES, found)[0] == pytest.approx(wanted, abs=1e-6)


def test_beyond_the_last_edge_nothing_is_claimed() -> None:
    assert np.isnan(risk_between(np.array([[0.1, 0.2, 0.3]]), EDGES, np.array([31.0]))[0])
