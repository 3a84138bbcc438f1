import numpy as np
import pandas as pd
import pytest
from bms_failure.labels import DEAD, cell_lives, choose_horizon, days_to_death, label_moments
from hypothesis import given, settings
from hypothesis import strategies as st

DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2026-01-01")


def history(labels: dict[str, list[float]], string: str = "A") -> pd.DataFrame:
    """One reading a day per cell."""
    rows = [
        {"Cell ID": cell, "string": string, "Timestamp": START + day * DAY, "IsDead": value}
        for cell, values in labels.items()
        for day, value in enumerate(values)
    ]
    return pd.DataFrame(rows).assign(source_row=lambda frame: np.arange(len(frame)))


def moments_of(frame: pd.DataFrame, lives: object) -> pd.DataFrame:
    kept = lives.of_row != DEAD
    return pd.DataFrame(
        {
            "Cell ID": frame["Cell ID"][kept],
            "life": lives.of_row[kept],
            "at": frame["Timestamp"][kept],
        }
    ).reset_index(drop=True)


def test_a_cell_dies_at_the_first_of_three_dead_samples() -> None:
    lives = cell_lives(history({"a": [0, 0, 1, 1, 1]}))
    assert lives.table["death"].tolist() == [START + 2 * DAY]
    assert lives.of_row.tolist() == [0, 0, DEAD, DEAD, DEAD]
    assert lives.dead_at_end == ["a"]


def test_two_dead_samples_between_living_ones_are_no_death() -> None:
    lives = cell_lives(history({"a": [0, 1, 1, 0, 0, 0]}))
    assert lives.table["death"].isna().all()
    assert (lives.of_row == 0).all()
    assert lives.dead_at_end == []


def test_a_death_too_late_to_be_confirmed_ends_what_is_sure() -> None:
    frame = history({"a": [0, 0, 0, 0, 1, 1]})
    lives = cell_lives(frame)
    assert lives.dead_at_end == []
    assert lives.table["observed_until"].tolist() == [START + 3 * DAY]
    label = label_moments(moments_of(frame, lives), lives, horizon_days=2)
    assert np.isnan(label[1:]).all()
    assert label[0] == 0


def test_a_cell_whose_labels_stop_is_observed_no_longer() -> None:
    frame = history({"a": [0, 0, 0, 0, np.nan, np.nan, np.nan, np.nan], "b": [np.nan] * 8})
    lives = cell_lives(frame)
    assert lives.table["observed_until"].tolist() == [START + 3 * DAY, pd.NaT]
    label = label_moments(moments_of(frame, lives), lives, horizon_days=2)
    assert label[0] == 0
    assert np.isnan(label[1:]).all()


def test_a_replaced_cell_starts_a_new_life() -> None:
    frame = history({"a": [0, 0, 1, 1, 1, 0, 0, 0, 0]})
    lives = cell_lives(frame)
    assert lives.of_row.tolist() == [0, 0, DEAD, DEAD, DEAD, 1, 1, 1, 1]
    assert lives.dead_at_end == []
    assert days_to_death(moments_of(frame, lives), lives)[:2].tolist() == [2.0, 1.0]
    assert np.isnan(days_to_death(moments_of(frame, lives), lives)[2:]).all()


def test_unknown_labels_do_not_interrupt_a_death() -> None:
    lives = cell_lives(history({"a": [0, 1, np.nan, 1, 1]}))
    assert lives.table["death"].tolist() == [START + DAY]


def test_without_the_column_every_cell_lives() -> None:
    lives = cell_lives(history({"a": [0, 0], "b": [0, 0]}).drop(columns="IsDead"))
    assert lives.dead_at_end == []
    assert (lives.of_row == 0).all()


@settings(max_examples=60, deadline=None)
@given(
    cells=st.lists(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=14), min_size=1, max_size=4),
    horizon=st.integers(1, 10),
)
def test_labels_agree_with_the_definition_read_aloud(cells: list[list[float]], horizon: int) -> None:
    """A slow oracle for cells that die at most once."""
    once = {}
    for number, values in enumerate(cells):
        runs = "".join(str(int(value)) for value in values)
        dead_from = runs.find("111")
        once[f"c{number}"] = (
            values if dead_from < 0 else values[:dead_from] + [1.0] * (len(values) - dead_from)
        )
    frame = history(once)
    lives = cell_lives(frame)
    found = label_moments(moments_of(frame, lives), lives, horizon)
    expected = []
    for values in once.values():
        runs = "".join(str(int(value)) for value in values)
        death = runs.find("111")
        end = death if death >= 0 else len(values)
        last_sure = len(runs.rstrip("1")) - 1 if death < 0 else None
        for day in range(end):
            if death >= 0:
                expected.append(1.0 if death - day <= horizon else 0.0)
            else:
                expected.append(0.0 if last_sure > day + horizon else np.nan)
    np.testing.assert_array_equal(found, expected)


def fleet_with_deaths(strings: int, days: int) -> tuple[pd.DataFrame, np.ndarray, object]:
    """In each string one cell dies half-way and three live."""
    parts = [
        history(
            {
                f"{name}/1": [0.0] * (days // 2) + [1.0] * (days - days // 2),
                **{f"{name}/{cell}": [0.0] * days for cell in (2, 3, 4)},
            },
            string=str(name),
        )
        for name in range(strings)
    ]
    frame = pd.concat(parts, ignore_index=True).assign(source_row=lambda table: np.arange(len(table)))
    lives = cell_lives(frame)
    moments = moments_of(frame, lives)
    return moments, moments["Cell ID"].str[0].to_numpy(), lives


@pytest.mark.parametrize(("days", "expected"), [(30, 7), (120, 30), (12, 3)])
def test_the_horizon_shrinks_to_what_the_history_can_label(days: int, expected: int) -> None:
    assert choose_horizon(*fleet_with_deaths(2, days), asked_days=30) == expected


def test_deaths_in_one_group_only_allow_no_horizon() -> None:
    assert choose_horizon(*fleet_with_deaths(1, 60), asked_days=30) is None
