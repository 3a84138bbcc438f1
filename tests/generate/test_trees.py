"""A chain of trees keeps what a copula cannot see, and the copy of no row."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.mutual_information import binned, label_codes, strongest
from bms_generate.trees import SequentialTrees


def drawn(frame, scores=(), rows=None, seed=1):
    trees = SequentialTrees().fit(frame, scores)
    return trees.sample(rows or len(frame), np.random.default_rng(seed))


def nearest(rows, others):
    """Distance of each row to the nearest of the others but itself."""
    apart = np.linalg.norm(rows[:, None] - others[None], axis=2)
    return np.where(apart == 0, np.inf, apart).min(axis=1)


@pytest.mark.parametrize("seed", range(3))
def test_two_labels_that_matter_only_together_are_kept(seed):
    random = np.random.default_rng(seed)
    one, two = random.integers(0, 2, (2, 600)).astype(bool)
    made = drawn(pd.DataFrame({"one": one, "two": two, "differ": one ^ two}))
    assert ((made["one"] ^ made["two"]) == made["differ"]).all()
    assert made["differ"].mean() == pytest.approx(0.5, abs=0.1)


def test_two_numbers_that_matter_only_together_are_kept():
    random = np.random.default_rng(0)
    one, two = random.normal(size=(2, 2000))
    both = np.sign(one * two) * np.abs(random.normal(size=2000))
    made = drawn(pd.DataFrame({"one": one, "two": two, "both": both}), ["one", "two", "both"])
    assert (np.sign(made["one"] * made["two"]) == np.sign(made["both"])).mean() > 0.95


def test_a_correlation_that_a_label_turns_round_is_kept():
    random = np.random.default_rng(0)
    current = random.normal(size=3000)
    state = np.where(random.random(3000) < 0.5, "charge", "rest")
    voltage = np.where(state == "charge", 1, -1) * current + random.normal(0, 0.3, 3000)
    made = drawn(
        pd.DataFrame({"state": state, "current": current, "voltage": voltage}), ["current", "voltage"]
    )
    slopes = {name: part["current"].corr(part["voltage"]) for name, part in made.groupby("state")}
    assert slopes["charge"] > 0.9 and slopes["rest"] < -0.9


def test_columns_that_depend_on_nothing_stay_independent():
    random = np.random.default_rng(0)
    real = pd.DataFrame({"x": random.normal(size=3000), "label": random.choice(["a", "b", "c"], 3000)})
    made = drawn(real, ["x"])
    assert made.groupby("label")["x"].mean().abs().max() < 0.15
    assert made["label"].value_counts(normalize=True).sub(1 / 3).abs().max() < 0.05


def test_numbers_are_never_real_ones_and_rows_seldom_nearer_than_those_of_another_sample():
    random = np.random.default_rng(0)
    real, other = random.normal(size=(2, 800, 3)) @ np.linalg.cholesky(0.5 + 0.5 * np.eye(3)).T
    made = drawn(pd.DataFrame(real, columns=[*"xyz"]), [*"xyz"]).to_numpy()
    assert not np.isin(made, real).any()
    close = np.quantile(nearest(real, real), 0.05)
    assert (nearest(made, real) < close).mean() < 3 * (nearest(other, real) < close).mean()


@pytest.mark.parametrize(
    "labels",
    [
        [True, False],
        [True, False, None],
        [3, 1, 2],
        [1.0, np.nan],
        ["b", None, "a"],
        ["7", 7],
        ["the only one"],
        range(100),
    ],
    ids=str,
)
def test_labels_of_any_kind_come_out_as_they_went_in_missing_included(labels):
    real = pd.Series([*labels] * 20, dtype=object)
    made = drawn(pd.DataFrame({"label": real, "x": np.linspace(-1, 1, len(real))}), ["x"], rows=2000)
    assert set(made["label"].dropna()) == set(real.dropna())
    assert made["label"].isna().mean() == pytest.approx(real.isna().mean(), abs=0.05)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rows", [1, 2, 40])
def test_tables_of_few_rows_have_no_tree_to_grow_but_are_drawn(rows):
    names = [f"n{k}" for k in range(rows)]
    real = pd.DataFrame({"x": np.linspace(-1, 1, rows), "all": "same", "id": names})
    made = drawn(real, ["x"], rows=50)
    assert len(made) == 50 and set(made["id"]) <= set(real["id"]) and made["x"].between(-2, 2).all()


def test_given_columns_are_followed_not_drawn_and_unknown_labels_count_as_the_rarest():
    random = np.random.default_rng(0)
    maker = random.choice(["A", "B", "rare"], 900, p=[0.5, 0.4, 0.1])
    level = pd.Series(maker).map({"A": 0.0, "B": 1.0, "rare": -1.0}).to_numpy()
    real = pd.DataFrame({"maker": maker, "base": random.normal(size=900)})
    real["v"] = level + 0.5 * real["base"] + random.normal(0, 0.05, 900)
    trees = SequentialTrees(("maker", "base")).fit(real, ["base", "v"])
    given = pd.DataFrame({"maker": ["A", "B", "never seen"] * 100, "base": random.normal(size=300)})
    made = trees.sample(300, np.random.default_rng(1), given)
    assert list(made) == ["v"]
    rest = made["v"] - 0.5 * given["base"]
    assert rest.groupby(given["maker"]).median().to_dict() == pytest.approx(
        {"A": 0.0, "B": 1.0, "never seen": -1.0}, abs=0.15
    )


def test_equal_seeds_give_equal_rows_and_others_do_not():
    real = pd.DataFrame({"x": np.random.default_rng(0).normal(size=200), "label": ["a", "b"] * 100})
    first, again, other = (drawn(real, ["x"], seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first["x"].equals(other["x"])


def test_the_columns_that_tell_most_are_the_predictors_whatever_their_kind():
    random = np.random.default_rng(0)
    target = random.normal(size=2000)
    columns = {
        "noise": random.normal(size=2000),
        "square": target**2,
        "more noise": random.normal(size=2000),
        "follower": target + random.normal(size=2000),
    }
    sign, _ = label_codes(pd.Series(np.where(target > 0, "up", "down")))
    bins = {name: binned(values, labels=False) for name, values in (columns | {"target": target}).items()}
    bins["sign"] = binned(sign, labels=True)
    among = [*columns, "sign"]
    assert strongest(bins, "target", among, 3) == ["square", "follower", "sign"]
    assert strongest(bins, "target", among, 5) == among
