"""What boosted trees see: real or synthetic, and whether they learn as much from either."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.records import encode
from bms_generate.telemetry_roles import find_roles
from bms_generate.telemetry_scores import score_table
from bms_generate.trained_on import compare_training
from bms_generate.training_worth import judge_training

from tests.generate.telemetry_tables import fleet, scores, series


def people(rows=600, seed=0):
    """Return a table without series: two related numbers, a category that depends on them, a second one."""
    random = np.random.default_rng(seed)
    age = random.normal(size=rows)
    income = 2 * age + random.normal(size=rows)
    kind = np.where(age + income > 0, "high", "low")
    return pd.DataFrame(
        {"age": age, "income": income, "kind": kind, "town": random.choice(list("abc"), rows)}
    )


def learn(real, synthetic):
    roles = find_roles(real)
    return compare_training(*encode(real, synthetic, roles), roles.label)


def test_a_flag_that_nothing_foretells_is_no_yardstick_unless_it_is_the_label_asked_for():
    flag = np.random.default_rng(3).random(600) < 0.4
    real = people().assign(flag=flag)
    found = learn(real, real)
    assert (found.task, found.note) == ("signals", "real rows teach too little of flag")
    assert learn(real.assign(flag=real["age"] > 0.5), real).task == "label"
    dead = real.rename(columns={"flag": "IsDead"})
    assert learn(dead, dead).task == "label"


def test_a_copy_cannot_be_told_apart_and_a_spoilt_copy_can():
    assert scores("copy").two_sample.auroc == pytest.approx(0.5, abs=0.02)
    assert scores("shuffled").two_sample.auroc > 0.85
    assert scores("noisy").two_sample.auroc > 0.95
    assert scores("copy").two_sample.split == "strings"
    assert len(scores("copy").two_sample.folds) == 4


def test_a_single_string_is_held_out_by_time():
    real = series(cells=6, strings=1, readings=480)
    found = score_table(real, series(cells=6, strings=1, readings=480, seed=4), find_roles(real)).two_sample
    assert (found.split, len(found.folds)) == ("time blocks", 4)


def test_rows_without_series_are_judged_in_random_folds():
    real = people()
    alike = score_table(real, people(seed=1), find_roles(real)).two_sample
    assert alike.records == "rows"
    assert alike.auroc == pytest.approx(0.5, abs=0.06)
    order = np.random.default_rng(2).permutation(len(real))
    broken = score_table(
        real, real.assign(income=real["income"].to_numpy()[order]), find_roles(real)
    ).two_sample
    assert broken.auroc > 0.7


def test_a_label_without_cells_has_a_rate_in_rows_alone():
    real = people().assign(rich=lambda rows: rows["income"] > 1.5)
    found = score_table(real, real, find_roles(real))
    assert found.trained_on.task == "label"
    assert found.label.rows_synthetic == real["rich"].mean()
    assert np.isnan(found.label.cells_real)
    assert "in the cells" not in " ".join(reason.text for reason in judge_training(found))


def test_categories_of_other_names_are_told_apart():
    real = people()
    renamed = people(seed=1).assign(town="elsewhere")
    assert score_table(real, renamed, find_roles(real)).two_sample.auroc == 1.0


def test_a_handful_of_records_is_not_judged():
    real = people(rows=12)
    assert np.isnan(score_table(real, real, find_roles(real)).two_sample.auroc)


def test_a_sibling_fleet_teaches_as_much_as_the_real_one_and_random_labels_teach_nothing():
    sibling = scores("sibling").trained_on
    assert sibling.task == "label"
    real, synthetic = sibling.headline
    assert real > 0.95
    assert synthetic > 0.95 * real
    deaf = fleet(1).assign(IsDead=np.random.default_rng(3).permutation(fleet(1)["IsDead"]))
    assert learn(fleet(0), deaf).headline[1] < 0.75


def test_the_real_model_never_sees_the_strings_it_is_tested_on():
    real = series(cells=4, strings=12, readings=40)
    string = real["Cell ID"].str.extract(r"S(\d+)/")[0].astype(int)
    real["current"] += 10 * string  # every string is known by its level,
    real["IsDead"] = (string % 3 == 1).astype(int)  # which says nothing of a string not seen
    assert learn(real, real).headline[0] < 0.7


def test_the_deviation_from_the_string_is_a_feature():
    real = series(cells=6, strings=4, readings=60)
    level = real.groupby([real["Cell ID"].str[:2], "Timestamp"])["voltage"].transform("median")
    real["voltage"] += 50 * real["Timestamp"].dt.hour  # what is common to the string hides the odd one
    level += 50 * real["Timestamp"].dt.hour
    real["IsDead"] = (real["voltage"] - level > 0.9).astype(int)
    assert 0.02 < real["IsDead"].mean() < 0.3
    assert learn(real, real).headline[0] > 0.97


def test_without_a_label_each_signal_is_guessed_from_the_others():
    real = people()
    found = learn(real, people(seed=1))
    assert found.task == "signals"
    assert found.table["target"].tolist() == ["age", "income"]
    assert (found.table["real"] > 0.5).all()
    assert (found.table["synthetic"] > 0.5).all()
    order = np.random.default_rng(2).permutation(len(real))
    broken = learn(real, real.assign(income=real["income"].to_numpy()[order]))
    assert broken.headline[1] < broken.headline[0] - 0.3


def test_too_few_true_labels_are_said_instead_of_scored():
    real = series().assign(IsDead=0)
    real.loc[:18, "IsDead"] = 1
    found = learn(real, real)
    assert found.task == "signals"
    assert "IsDead" in found.note


def test_a_twin_without_a_true_label_teaches_nothing():
    found = learn(fleet(0), fleet(1).assign(IsDead=0))
    assert found.task == "label"
    assert found.headline[1] == 0.5


def test_scores_are_the_same_every_time():
    real = people()
    first, again = (score_table(real, people(seed=1), find_roles(real)) for _ in range(2))
    assert first.two_sample.folds == again.two_sample.folds
    pd.testing.assert_frame_equal(first.trained_on.table, again.trained_on.table)
