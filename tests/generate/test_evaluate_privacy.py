"""Copies are found however many rows there are, and strangers are no nearer than other real strings."""

import numpy as np
import pandas as pd
import pytest
from bms_generate import privacy
from bms_generate.privacy import row_nearness
from bms_generate.records import encode
from bms_generate.telemetry_roles import find_roles

from tests.generate.telemetry_tables import fleet, scores, series


def nearness(real, synthetic):
    return row_nearness(*encode(real, synthetic, find_roles(real)))


def test_a_copy_is_all_copies_at_distance_nought():
    found = scores("copy")
    for side in (found.row_nearness, found.window_nearness):
        assert side.copies.synthetic == 1.0
        assert np.median(side.synthetic) == 0.0
        assert np.median(side.real) > 0.0
        assert side.near.real < 0.05 < 0.5 < side.near.excess


def test_a_sibling_is_no_nearer_than_another_real_string_and_holds_no_window_twice():
    found = scores("sibling")
    assert np.median(found.row_nearness.synthetic) > 0.5 * np.median(found.row_nearness.real)
    assert found.row_nearness.near.excess <= 0.001 and found.row_nearness.copies.excess <= 0.001
    assert found.window_nearness.near.excess == 0.0
    assert found.window_nearness.copies.synthetic == 0.0


def test_shuffled_rows_are_copies_as_rows_and_strangers_as_days():
    found = scores("shuffled")
    assert found.row_nearness.copies.synthetic == 1.0
    assert found.window_nearness.copies.synthetic == 0.0


def test_a_few_copies_are_found_although_only_a_part_is_looked_up(monkeypatch):
    monkeypatch.setattr(privacy, "_MOST_ASKED", 200)
    random = np.random.default_rng(4)
    real = pd.DataFrame(random.normal(size=(3000, 3)), columns=list("abc"))
    made = pd.DataFrame(random.normal(size=(3000, 3)), columns=list("abc"))
    made.iloc[:300] = real.iloc[-300:]
    found = nearness(real, made)
    assert found.copies.synthetic == pytest.approx(0.1)
    assert found.copies.real == 0.0
    assert found.near.excess > 0.05  # a thinned real side would have lost most of them


def test_a_cells_own_string_is_no_reference():
    real = series(cells=4, strings=3, readings=60)
    first = real["Cell ID"].str[:2] + "/C0"
    voltages = real.set_index(["Cell ID", "Timestamp"])["voltage"]
    real["voltage"] = voltages.reindex(pd.MultiIndex.from_arrays([first, real["Timestamp"]])).to_numpy()
    found = nearness(real, series(cells=4, strings=3, readings=60, seed=8))
    assert found.held_out == "strings or cells"
    assert found.real.min() > 0.0  # equal cells of one string would be at distance nought
    assert found.copies.real == 0.0


def test_equal_rows_by_chance_are_told_beside_the_copies():
    random = np.random.default_rng(1)
    coarse = [
        pd.DataFrame(random.integers(0, 3, (500, 2)).astype(float), columns=list("ab")) for _ in range(2)
    ]
    found = nearness(*coarse)
    assert found.copies.synthetic == 1.0
    assert found.copies.real == 1.0


def test_missing_values_and_rows_without_readings():
    real = fleet(0).copy()
    signals = find_roles(real).signals
    real.loc[::3, "CellSpecificGravity"] = np.nan
    real.loc[1::7, signals] = np.nan
    found = nearness(real, real)
    assert np.isfinite(found.real).all()
    assert np.median(found.synthetic) == 0.0
    assert found.copies.synthetic == 1.0


def test_two_rows_with_different_labels_lie_apart():
    real = pd.DataFrame({"kind": list("ab") * 50, "x": np.linspace(0, 1, 100)})
    made = real.assign(kind=np.where(real["kind"] == "a", "b", "a"), x=real["x"])
    found = nearness(real, made)
    assert found.copies.synthetic == 0.0
    assert found.synthetic.max() < 1.0  # the neighbour one row on has the label wanted
    stranger = nearness(real, real.assign(kind="c"))
    assert stranger.synthetic.min() == pytest.approx(np.sqrt(1 / 2))


def test_distances_do_not_depend_on_units():
    real, made = fleet(0), fleet(1)
    before = nearness(real, made)
    after = nearness(*(side.assign(CellVoltage=side["CellVoltage"] * 1000) for side in (real, made)))
    assert after.synthetic == pytest.approx(before.synthetic, abs=1e-6)


def test_a_handful_of_rows_has_no_distances():
    assert nearness(fleet(0), fleet(1).head(10)) is None


@pytest.mark.parametrize("seed", range(3))
def test_a_table_of_few_combinations_repeats_them_by_chance(seed):
    random = np.random.default_rng(seed)
    sides = [pd.DataFrame({name: random.choice(list("abc"), rows) for name in "xy"}) for rows in (44, 60)]
    found = nearness(*sides)
    assert found.copies.synthetic > 0.9 and found.copies.excess <= 0.001


def test_strings_that_share_more_by_chance_make_the_verdict_less_sure():
    readings = [
        np.round(np.random.default_rng(seed).normal(size=400), digits)
        for seed, digits in enumerate((1, 1, 3))
    ]
    real = pd.DataFrame(
        {"Cell ID": np.repeat(["A/1", "B/1", "C/1"], 400), "voltage": np.concatenate(readings)}
    ).assign(Timestamp=list(pd.date_range("2026-01-01", periods=400, freq="h")) * 3)
    share = nearness(real, real).copies
    alike = nearness(real.assign(voltage=list(readings[0]) * 3), real).copies
    assert share.scatter > 0.2 and alike.scatter == 0.0
