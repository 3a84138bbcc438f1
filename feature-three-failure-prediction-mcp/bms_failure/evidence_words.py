"""The evidence in sentences a battery owner can check: of so many told this, so many died."""

import pandas as pd
from bms_schema.run.wording import counted

from bms_failure.results import FailureMetrics, MethodMetrics

FEW_DEATHS = 10
TOLD, FEWEST_CELLS = 0.2, 10  # the sentence on reliability looks for a risk near one in five


def in_words(metrics: FailureMetrics, reliability: pd.DataFrame, alerts_per_week: float) -> list[str]:
    """Return the evidence in a handful of sentences.

    Args:
        metrics: Figures at the judged horizon.
        reliability: Of the method used, from `prepare_reliability`.
        alerts_per_week: The budget, per 1,000 cells.
    """
    used = metrics.methods[metrics.chosen]
    few = (
        f"Only {counted(metrics.deaths, 'death')} to judge by: the figures are rough."
        if metrics.deaths < FEW_DEATHS
        else ""
    )
    said = [
        _true(reliability, metrics.judged_days),
        _caught(used),
        _right(used, alerts_per_week),
        _against(metrics),
        few,
    ]
    return [sentence for sentence in said if sentence]


def word_bin(told: float, observed: float, low: float, high: float, days: int) -> str:
    """Say what became of cells that were told a risk.

    >>> word_bin(0.2, 0.184, 0.09, 0.3, 30)
    'Of 100 cells told 20 %, 18 died within 30 days (95 % 9 to 30).'
    """
    return (
        f"Of 100 cells told {100 * told:.0f} %, {100 * observed:.0f} died within {counted(days, 'day')} "
        f"(95 % {100 * low:.0f} to {100 * high:.0f})."
    )


def _true(reliability: pd.DataFrame, days: int) -> str:
    """Pick the bin nearest to one in five among those that enough cells stand for."""
    enough = reliability[reliability["cells"] >= FEWEST_CELLS]
    candidates = reliability if enough.empty else enough
    if candidates.empty:
        return ""
    nearest = candidates.iloc[int((candidates["risk"] - TOLD).abs().to_numpy().argmin())]
    told, observed, low, high = (float(nearest[name]) for name in ("risk", "observed", "lo95", "hi95"))
    return word_bin(told, observed, low, high, days)


def _caught(used: MethodMetrics) -> str:
    if used.event_recall is None:
        return ""
    lead = ""
    if used.lead_days_median is not None and used.lead_days_p10 is not None:
        early = f"{_days(used.lead_days_median)} days ahead or more"
        lead = f", half of them {early}, nine of ten at least {_days(used.lead_days_p10)}"
    return (
        f"Of {counted(used.deaths, 'death')} {_were(used.deaths_caught)} announced "
        f"({100 * used.event_recall:.0f} %{_interval(used.event_recall_lo95, used.event_recall_hi95)}){lead}."
    )


def _right(used: MethodMetrics, alerts_per_week: float) -> str:
    if used.event_precision is None:
        return ""
    rate = "" if used.alerts_per_week is None else f", {used.alerts_per_week:.1f} a week per 1,000 cells"
    share = f"{100 * used.event_precision:.0f} %"
    return (
        f"Of {counted(used.alerts_resolved, 'alert')} {_were(used.alerts_right)} right ({share}"
        f"{_interval(used.event_precision_lo95, used.event_precision_hi95)}){rate} (budget {alerts_per_week:.3g})."
    )


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f", 95 % {100 * low:.0f} to {100 * high:.0f}"


def _against(metrics: FailureMetrics) -> str:
    """Say whether learning was worth it, against the better of the two rankings that learn nothing."""
    skill = {name: item.brier_skill for name, item in metrics.methods.items() if item.brier_skill is not None}
    if len(skill) < len(metrics.methods):
        return ""
    best = max((name for name in skill if name != "classifier"), key=lambda name: skill[name])
    other = f"the simple ranking by {best.replace('_', ' ')}"
    figures = f"Brier skill {_signed(skill['classifier'])} against {_signed(skill[best])}"
    if metrics.chosen != "classifier":
        return f"The classifier's risks said less than {other} ({figures}), so that is used."
    low, high = metrics.classifier_skill_lead_lo95, metrics.classifier_skill_lead_hi95
    if low is None or high is None:
        return f"The classifier's risks said more than {other}: {figures}."
    surely = "said more" if low > 0 else "did not surely say more"
    lead = _signed(skill["classifier"] - skill[best])
    interval = f"ahead by {lead}, 95 % {_signed(low)} to {_signed(high)}"
    return f"The classifier's risks {surely} than {other}: {figures} ({interval})."


def _signed(value: float) -> str:
    return f"{'−' if round(value, 2) < 0 else ''}{abs(value):.2f}"


def _days(value: float) -> str:
    """Whole days from two on; below, the hours matter."""
    return f"{value:.0f}" if value >= 2 else f"{value:.1f}"


def _were(number: int) -> str:
    return f"{number:,} {'was' if number == 1 else 'were'}"
