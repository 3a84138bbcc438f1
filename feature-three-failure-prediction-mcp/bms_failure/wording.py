"""The tool's message: who is failing, by which method, how far it can be trusted."""

from math import ceil

import pandas as pd
from bms_schema.data.columns import IS_DEAD
from bms_schema.run.model_store import ModelMeta
from bms_schema.run.wording import counted

from bms_failure.alerts import BUDGET_SHARE
from bms_failure.blocks import AT
from bms_failure.model import FailureModel
from bms_failure.results import FailureData
from bms_failure.watch import Watched


def why_no_training(watched: Watched) -> str:
    """Say why nothing could be learnt from this data."""
    if IS_DEAD not in watched.source.columns:
        return "There is no IsDead column to learn from or to tell dead cells by."
    if not watched.source.labelled:
        return "IsDead holds no 0 or 1 to learn from or to tell dead cells by."
    died = counted(int(watched.lives.table["death"].notna().sum()), "death")
    return f"IsDead shows {died}, too few, too late or in too few strings to learn from and to check."


def say_model(meta: ModelMeta) -> str:
    """Say whose experience a stored model carries: its figures hold for fleets like that one."""
    used = meta.metrics["methods"][meta.metrics["chosen"]]
    figures = [used[name] for name in ("auroc", "auroc_lo95", "auroc_hi95")]
    skill = "nobody knows how well"
    if None not in figures:
        value, low, high = figures
        skill = f"out-of-fold AUROC {value:.2f} (95 % {low:.2f}–{high:.2f}) there"
    return (
        f"Scored with stored model {meta.version}, trained on {meta.settings['trained_on']}, {skill}; it holds for "
        "fleets like that one."
    )


def sum_up(data: FailureData, why: str, model: FailureModel | None, moments: pd.DataFrame) -> tuple[str, str]:
    """Return the message, and the same without the evidence, which the page tells elsewhere.

    Args:
        data: The result.
        why: Why this method answers.
        model: What answers; None for the indicators.
        moments: The cells' course, from `Watched`, for the length of the record.
    """
    alive = data.cells - data.dead_total
    if model is None:
        ranked = f"{why} So cells are only ranked by risk indicators over {_span(moments)} of readings, without any"
        found = f"{data.failing_total} of {alive} cells stand out in physical signs and are suspicious"
        text = f"{ranked} probability: {found}.{_dead(data)}"
        return text, text
    listed = (
        f"{data.failing_total} of {alive} cells are on the alert list for a death within "
        f"{counted(model.judged_days, 'day')}, with up to {_budget(data)}"
    )
    text = f"{why} {listed}.{_unclaimed(data)}{_riskiest(data)}{_dead(data)}"
    method = (data.metrics.chosen if data.metrics else model.method).replace("_", " ")
    return " ".join([text, f"Method: {method}.", *data.in_words]), text


def _budget(data: FailureData) -> str:
    """Say how many alerts there may be, and how many it would take where the fleet learnt from lost more cells."""
    told = f"{data.alerts_per_week:g} a week per 1,000 cells"
    needed = ceil((data.deaths_per_week or 0.0) / BUDGET_SHARE)
    if needed <= data.alerts_per_week:
        return told
    fleet = "fleet" if data.metrics else "fleet it was trained on"
    return (
        f"{told} (the {fleet} lost {data.deaths_per_week:.3g} a week: a budget of {needed} would be needed to name "
        "them all; a risk of 50 % or more is on the list all the same)"
    )


def _unclaimed(data: FailureData) -> str:
    """Say that the asked horizon is out of reach, where it is."""
    days = data.effective_horizon_days
    if days is None or days == data.horizon_days:
        return ""
    holder = "the longest this data can label" if data.metrics else "as far as the stored model reaches"
    return (
        f" Risks are for {counted(days, 'day')} ({holder}; {data.horizon_days} were asked for, and no risk is "
        "claimed for them)."
    )


def _riskiest(data: FailureData) -> str:
    """Name the first cell of the list with its risk and outlook."""
    if not data.failing_cells or data.failing_cells[0].risk is None:
        return ""
    first = data.failing_cells[0]
    return f" Riskiest: {first.cell}, {100 * (first.risk or 0):.0f} %, expected to last {first.expected}."


def _dead(data: FailureData) -> str:
    if not data.dead_total:
        return ""
    verb = "is" if data.dead_total == 1 else "are"
    return f" {counted(data.dead_total, 'cell')} {verb} dead already and not ranked."


def _span(moments: pd.DataFrame) -> str:
    seconds = (moments[AT].max() - moments[AT].min()).total_seconds()
    return f"{seconds / 86_400:.1f} days" if seconds >= 86_400 else "less than a day"
