"""The two answers follow from the figures, and their reasons name them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bms_generate.privacy import Share
from bms_generate.sharing import judge_sharing, reused_names, reused_texts
from bms_generate.telemetry_roles import find_roles
from bms_generate.telemetry_scores import score_table
from bms_generate.training_worth import judge_training
from bms_generate.verdict import decide

from tests.generate.telemetry_tables import fleet, scores, series


def share(found, reused=None, texts=None):
    return decide(judge_sharing(found, reused or {}, texts))


def train(found):
    return decide(judge_training(found))


def grave(verdict):
    """Return the words that begin the reasons of the verdict's own gravity."""
    return " ".join(reason.text for reason in verdict.reasons if reason.answer == verdict.answer)


def test_a_sibling_may_be_shared_and_is_no_worse_than_with_care_to_train_on():
    assert share(scores("sibling")).answer == "yes"
    assert train(scores("sibling")).answer in {"yes", "with care"}


def test_a_copy_may_be_trained_on_and_not_shared():
    assert train(scores("copy")).answer == "yes"
    verdict = share(scores("copy"))
    assert verdict.answer == "no"
    assert "100 % of the synthetic rows equal a real one" in grave(verdict)


def test_shuffled_rows_are_copies_and_no_battery():
    assert share(scores("shuffled")).answer == "no"
    verdict = train(scores("shuffled"))
    assert verdict.answer == "no"
    for word in ("Memory", "Cells differ", "one value per string and moment"):
        assert word in grave(verdict)


def test_the_gravest_reason_comes_first():
    answers = [reason.answer for reason in train(scores("noisy")).reasons]
    assert answers == sorted(answers, key=["no", "with care", "yes"].index)


def test_what_was_measured_comes_before_what_could_not_be():
    small, large = series().head(5), scores("sibling")
    too_few = judge_sharing(score_table(small, small, find_roles(small)), {})
    verdict = decide([*too_few, *judge_sharing(large, {"Cell ID": (5, 32)})])
    assert verdict.answer == "with care"
    assert verdict.reasons[0].text.startswith("5 of 32 names in Cell ID")
    assert verdict.reasons[1].text.startswith("Too few records")


@pytest.mark.parametrize(
    ("rows", "cells", "answer"),
    [(0.1, 0.2, "yes"), (0.17, 0.2, "with care"), (0.1, 0.9, "no"), (0.0, 0.0, "no")],
)
def test_the_label_must_keep_its_rate_in_rows_and_in_cells(rows, cells, answer):
    found = scores("copy")
    rates = replace(found.label, rows_real=0.1, cells_real=0.2, rows_synthetic=rows, cells_synthetic=cells)
    assert train(replace(found, label=rates)).answer == answer


@pytest.mark.parametrize(("excess", "answer"), [(0.0005, "yes"), (0.02, "with care"), (0.06, "no")])
def test_copies_count_beyond_those_by_chance(excess, answer):
    found = scores("sibling")
    nearness = replace(found.row_nearness, copies=Share(0.3, 0.32 + excess, 0.02))
    assert share(replace(found, row_nearness=nearness)).answer == answer


@pytest.mark.parametrize(("excess", "answer"), [(0.0005, "yes"), (0.02, "with care"), (0.06, "no")])
def test_near_records_count_against_those_of_the_hold_out(excess, answer):
    found = scores("sibling")
    nearness = replace(found.row_nearness, near=Share(0.01, 0.02 + excess, 0.01))
    assert share(replace(found, row_nearness=nearness)).answer == answer


def test_a_twin_that_teaches_nothing_is_not_to_be_trained_on():
    found = scores("copy")
    table = found.trained_on.table.assign(synthetic=0.5)
    verdict = train(replace(found, trained_on=replace(found.trained_on, table=table)))
    assert verdict.answer == "no"
    assert "AUROC of IsDead on held-out real rows is 0.500" in grave(verdict)


def test_an_auroc_below_one_half_is_explained():
    found = scores("sibling")
    for area, told in ((0.3, True), (0.5, False)):
        judged = replace(found.two_sample, auroc=area)
        reasons = " ".join(reason.text for reason in train(replace(found, two_sample=judged)).reasons)
        assert ("; below 0.5: whole strings are held out, and they differ from each other" in reasons) is told


def test_a_clock_out_of_step_is_a_reason():
    found = scores("copy")
    clock = replace(found.series.clock, regular_synthetic=0.4)
    verdict = train(replace(found, series=replace(found.series, clock=clock)))
    assert verdict.answer == "no"
    assert "40.0 % of the steps" in grave(verdict)


def test_real_names_in_the_twin_are_a_reason_for_care_and_made_up_ones_are_none():
    real = fleet(0).assign(serial="SN-1", row=range(len(fleet(0))))
    spec = {
        "columns": {name: {"sdtype": "id" if name in {"serial", "row"} else "numerical"} for name in real}
    }
    roles = find_roles(real)
    made_up = real.assign(string="X" + real["string"], serial="SN-2", **{"Cell ID": "X" + real["Cell ID"]})
    assert reused_names(real, real, spec, roles) == {"serial": (1, 1), "Cell ID": (32, 32), "string": (4, 4)}
    assert not any(count for count, _ in reused_names(real, made_up, spec, roles).values())
    verdict = share(scores("sibling"), {"Cell ID": (5, 32), "string": (0, 4)})
    assert verdict.answer == "with care"
    assert grave(verdict) == "5 of 32 names in Cell ID are real ones: rename them before sharing."


def test_real_remarks_that_come_out_word_for_word_are_a_reason_for_care_though_declared_labels():
    real = pd.DataFrame({"x": np.arange(60.0), "note": [f"Mr {row} saw a cell" for row in range(60)]})
    real["place"], real["owner"] = "shed", real["note"]
    kinds = {"x": "numerical", "note": "categorical", "place": "categorical", "owner": "name"}
    spec = {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}
    made = real.assign(note=np.where(real.index < 45, real["note"], "none"), owner="synthetic-1")
    sides = real, made, spec, find_roles(real, spec)
    assert reused_texts(*sides) == {"note": (45, 60)}
    assert reused_names(*sides) == {"owner": (0, 1)}
    verdict = share(scores("sibling"), texts=reused_texts(*sides))
    assert verdict.answer == "with care"
    assert grave(verdict).startswith("45 of the 60 different texts of real rows in note appear word for word")


def test_too_little_to_measure_is_said_and_no_yes():
    real = series().head(5)
    found = score_table(real, real, find_roles(real))
    assert grave(share(found)) == "Too few records to tell copies from chance."
    assert "Too few rows" in grave(train(found))


UNUSUAL = {
    "no row": lambda real: real.head(0),
    "one row": lambda real: real.head(1),
    "no time": lambda real: real.assign(Timestamp=pd.NaT),
    "no cell": lambda real: real.assign(**{"Cell ID": None}),
    "one moment": lambda real: real.assign(Timestamp=real["Timestamp"].iloc[0]),
    "no voltage": lambda real: real.assign(voltage=np.nan),
    "constant": lambda real: real.assign(voltage=1.0, current=2.0),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", UNUSUAL)
def test_a_broken_twin_is_answered_with_no(kind):
    real = series(readings=60)
    found = score_table(real, UNUSUAL[kind](real), find_roles(real))
    assert share(found).reasons
    assert train(found).answer == "no"
