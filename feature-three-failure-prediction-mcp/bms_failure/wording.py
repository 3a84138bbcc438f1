"""The tool's figures and sentences."""

import pandas as pd
from bms_schema.run.model_store import ModelMeta

from bms_failure.blocks import AT
from bms_failure.evaluation import METHODS, MethodEvidence
from bms_failure.labels import Lives
from bms_failure.model import FailureModel, Training
from bms_failure.results import FailureData, FailureMetrics, MethodMetrics


def tell(training: Training, split: str) -> FailureMetrics:
    """Return the evidence as the result shows it."""
    evidence = training.evidence
    base_rate = float(evidence.labels.mean())
    lead, low, high = evidence.lead_over_baseline
    return FailureMetrics(
        split=split,
        deaths=training.deaths,
        cell_days=len(evidence.labels),
        positive_cell_days=int(evidence.labels.sum()),
        base_rate_brier=base_rate * (1 - base_rate),
        chosen=evidence.chosen,
        classifier_lead=lead,
        classifier_lead_lo95=low,
        classifier_lead_hi95=high,
        methods={name: _metrics(evidence.methods[name]) for name in METHODS},
    )


def _metrics(found: MethodEvidence) -> MethodMetrics:
    return MethodMetrics(
        auroc=found.auroc,
        auroc_lo95=found.auroc_lo95,
        auroc_hi95=found.auroc_hi95,
        average_precision=found.average_precision,
        brier=found.brier,
        alert_threshold=found.events.threshold,
        event_recall=found.events.recall,
        event_precision=found.events.precision,
        alerts=found.events.alerts,
        lead_days_median=found.events.lead_days_median,
        lead_days_p10=found.events.lead_days_p10,
    )


def why_no_training(labels: pd.Series | None, lives: Lives) -> str:
    """Say why nothing could be learnt from this data, whose `IsDead` is given."""
    if labels is None:
        return "There is no IsDead column to learn from or to tell dead cells by."
    if labels.isna().all():
        return "IsDead holds no 0 or 1 to learn from or to tell dead cells by."
    died = int(lives.table["death"].notna().sum())
    return (
        f"IsDead shows {died} death(s), too few, too late or in too few strings to learn from and to check."
    )


def say_model(meta: ModelMeta) -> str:
    """Say whose experience a stored model carries: its figures hold for fleets like that one."""
    used = meta.metrics["methods"][meta.metrics["chosen"]]
    skill = f"AUROC {used['auroc']:.2f} (95 % {used['auroc_lo95']:.2f}–{used['auroc_hi95']:.2f})"
    return (
        f"Scored with stored model {meta.version}, trained on {meta.settings['trained_on']}, out-of-fold {skill} "
        "there; it holds for fleets like that one."
    )


def sum_up(data: FailureData, why: str, model: FailureModel | None, moments: pd.DataFrame) -> str:
    """Return the tool's message: who is failing, by which method, how far it can be trusted."""
    alive = data.cells - data.dead_total
    if model is None:
        ranked = f"{why} So cells are only ranked by risk indicators over {_span(moments)} of readings, without any"
        found = f"{data.failing_total} of {alive} cells stand out in two or more physical signs and are suspicious"
        return f"{ranked} probability: {found}.{_dead(data)}"
    above = f"{data.failing_total} of {alive} cells are above the alert threshold for a death within"
    text = f"{why} {above} {_horizon(data, model)}."
    return f"{text}{_proof(data.metrics) if data.metrics else ''}{_dead(data)}"


def _horizon(data: FailureData, model: FailureModel) -> str:
    days = f"{model.horizon_days} day{'s' if model.horizon_days != 1 else ''}"
    if model.horizon_days == data.horizon_days:
        return days
    holder = "the longest this data can label" if data.metrics else "what the stored model was calibrated for"
    asked = f"{data.horizon_days} were asked for, and no risk is claimed for them"
    return f"{days} ({holder}; {asked})"


def _proof(metrics: FailureMetrics) -> str:
    used = metrics.methods[metrics.chosen]
    others = ", ".join(
        f"{name.replace('_', ' ')} {item.auroc:.2f}"
        for name, item in metrics.methods.items()
        if name != metrics.chosen and item.auroc is not None
    )
    switch = "" if metrics.chosen == "classifier" else " It beat the classifier, so it is used."
    interval = f"95 % {used.auroc_lo95:.2f}–{used.auroc_hi95:.2f}"
    name = metrics.chosen.replace("_", " ")
    return (
        f" Method: {name}, out-of-fold AUROC {used.auroc:.2f} ({interval}; {others}), {metrics.deaths} deaths."
        f"{switch}"
    )


def _dead(data: FailureData) -> str:
    return f" {data.dead_total} cells are dead already and not ranked." if data.dead_total else ""


def _span(moments: pd.DataFrame) -> str:
    seconds = (moments[AT].max() - moments[AT].min()).total_seconds()
    return f"{seconds / 86_400:.1f} days" if seconds >= 86_400 else "less than a day"
