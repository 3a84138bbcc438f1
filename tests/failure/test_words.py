"""What people read: the evidence in sentences, the time left, the alert list."""

import json

import numpy as np
import pandas as pd
import pytest
from bms_failure.budgets import budget_steps, threshold_within
from bms_failure.evidence_plots import prepare_reliability
from bms_failure.evidence_words import in_words
from bms_failure.outlook import word_outlooks
from bms_failure.results import FailureMetrics, MethodMetrics


def metrics(**changed: object) -> FailureMetrics:
    """Figures of a run in which the classifier did well."""
    used = MethodMetrics(
        alerts=20, alerts_resolved=18, alerts_right=11, deaths=25, deaths_caught=20,
        auroc=0.9, brier_skill=0.4, event_recall=0.81, event_recall_lo95=0.7, event_recall_hi95=0.9,
        event_precision=0.62, event_precision_lo95=0.5, event_precision_hi95=0.75, alerts_per_week=7.44,
        lead_days_median=12.0, lead_days_p10=3.2,
    )  # fmt: skip
    plain = {
        "split": "out of fold", "judged_days": 30, "deaths": 25, "cell_days": 100, "positive_cell_days": 10,
        "chosen": "classifier", "classifier_skill_lead": 0.3, "classifier_skill_lead_lo95": 0.2,
        "classifier_skill_lead_hi95": 0.4,
        "methods": {
            "classifier": used,
            "deviation_rank": MethodMetrics(alerts=5, brier_skill=0.1),
            "ohmic_rise": MethodMetrics(alerts=5, brier_skill=-0.001),
        },
    }  # fmt: skip
    return FailureMetrics.model_validate(plain | changed)


def told(labels: list[int], risk: float) -> pd.DataFrame:
    """Return the reliability of cells that were all told the same risk."""
    return prepare_reliability(
        np.array(labels), np.full(len(labels), risk), np.arange(len(labels)).astype(str)
    )


def test_the_evidence_is_told_in_sentences_with_numbers() -> None:
    said = in_words(metrics(), told([1] * 18 + [0] * 82, 0.2), alerts_per_week=10)
    assert said == [
        "Of 100 cells told 20 %, 18 died within 30 days (95 % 12 to 27).",
        "Of 25 deaths 20 were announced (81 %, 95 % 70 to 90), half of them 12 days ahead or more, nine of ten at "
        "least 3.",
        "Of 18 alerts 11 were right (62 %, 95 % 50 to 75), 7.4 a week per 1,000 cells (budget 10).",
        "The classifier's risks said more than the simple ranking by deviation rank: Brier skill 0.40 against 0.10 "
        "(ahead by 0.30, 95 % 0.20 to 0.40).",
    ]


def test_the_risk_nearest_one_in_five_is_told_if_enough_cells_stand_for_it() -> None:
    few = prepare_reliability(
        np.r_[np.ones(3), np.zeros(40)],
        np.r_[np.full(3, 0.2), np.full(40, 0.05)],
        np.arange(43).astype(str),
    )
    assert in_words(metrics(), few, 10)[0].startswith("Of 100 cells told 5 %, 0 died")


def test_a_lead_that_may_be_chance_is_not_called_sure() -> None:
    said = in_words(metrics(classifier_skill_lead_lo95=-0.02), told([1, 0], 0.2), 10)
    assert "did not surely say more" in said[-1]
    assert "95 % −0.02 to 0.40" in said[-1]


def test_a_baseline_that_won_is_named() -> None:
    found = metrics(chosen="deviation_rank")
    found.methods["deviation_rank"].brier_skill = 0.5
    assert "said less than the simple ranking by deviation rank" in in_words(found, told([1, 0], 0.2), 10)[-1]


def test_one_alert_is_told_in_the_singular() -> None:
    found = metrics()
    found.methods["classifier"].alerts_right = 1
    assert "Of 18 alerts 1 was right" in in_words(found, told([1, 0], 0.2), 10)[2]


def test_few_deaths_are_called_few() -> None:
    assert in_words(metrics(deaths=4), told([1, 0], 0.2), 10)[-1].startswith("Only 4 deaths")


def test_what_is_not_known_is_not_told() -> None:
    empty = metrics(methods={name: MethodMetrics(alerts=0) for name in metrics().methods})
    assert in_words(empty, told([], 0.2), 10) == []


def test_outlooks_are_told_per_cell() -> None:
    times = pd.DataFrame({"median": [3.0, np.nan], "lo": [1.0, np.nan], "hi": [np.nan, np.nan]})
    assert word_outlooks(times, 30) == ["about 3 days (1 to more than 30)", "more than 30 days"]


CURVE = pd.DataFrame(
    {
        "threshold": [0.9, 0.7, 0.5, 0.3],
        "per_week": [1.0, 4.0, 9.0, 40.0],
        "recall": [0.1, 0.5, 0.8, 0.9],
        "precision": [1.0, 0.8, 0.6, 0.2],
        "f1": [0.18, 0.62, 0.69, 0.33],
    }
)


@pytest.mark.parametrize(
    ("budget", "threshold"),
    [
        pytest.param(0.5, 0.9, id="all beyond it: the highest"),
        pytest.param(1, 0.9, id="one alert a week leaves no room for another"),
        pytest.param(5, 0.7, id="two in three are right"),
        pytest.param(10, 0.5, id="as many right as at the best balance"),
        pytest.param(100, 0.3, id="who allows more accepts that fewer are right"),
    ],
)
def test_a_stored_curve_gives_the_lowest_threshold_within_the_budget(budget: float, threshold: float) -> None:
    steps = json.loads(json.dumps(budget_steps(CURVE)))
    assert threshold_within(steps, budget) == threshold


def test_a_larger_budget_never_shortens_the_alert_list() -> None:
    found = [threshold_within(budget_steps(CURVE), budget) for budget in (0.5, 1, 5, 10, 100)]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]
