"""The evidence as plain figures: what the reply shows, and all of it for `evidence.json`."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID
from bms_schema.run.envelope import finite_or_none

from bms_failure.alerts import AlertResult, alert_curve
from bms_failure.evaluation import METHODS, Evidence, HorizonEvidence, MethodEvidence
from bms_failure.evidence_plots import prepare_reliability, wilson_interval
from bms_failure.model import Training
from bms_failure.results import FailureMetrics, MethodMetrics

DIGITS = 4


def tell(training: Training, split: str) -> FailureMetrics:
    """Return the evidence at the judged horizon as the result shows it."""
    judged = training.evidence.judged
    base_rate = float(judged.labels.mean())
    lead, low, high = judged.lead_over_baseline
    return FailureMetrics(
        split=split,
        judged_days=training.evidence.judged_days,
        deaths=training.deaths,
        cell_days=len(judged.labels),
        positive_cell_days=int(judged.labels.sum()),
        base_rate_brier=_short(base_rate * (1 - base_rate)),
        chosen=training.evidence.chosen,
        classifier_lead=_short(lead),
        classifier_lead_lo95=_short(low),
        classifier_lead_hi95=_short(high),
        classifier_skill_lead=_short(judged.skill_over_baseline[0]),
        classifier_skill_lead_lo95=_short(judged.skill_over_baseline[1]),
        classifier_skill_lead_hi95=_short(judged.skill_over_baseline[2]),
        methods={name: _metrics(judged.methods[name]) for name in METHODS},
    )


def reliability_of(evidence: Evidence, method: str) -> pd.DataFrame:
    """Return one method's reliability table at the judged horizon, see `prepare_reliability`."""
    judged = evidence.judged
    cells = evidence.timeline[CELL_ID].to_numpy()[judged.rows]
    return prepare_reliability(judged.labels, judged.methods[method].risk, cells)  # type: ignore[index]


def alert_curves(evidence: Evidence) -> pd.DataFrame:
    """Return what each budget of alerts brings: `method` and the columns of `alert_curve`, judged horizon."""
    days = float(evidence.judged_days)
    curves = [
        alert_curve(evidence.watch, evidence.risk_at(name, _all(evidence, days))).assign(method=name)
        for name in METHODS
    ]
    return pd.concat(curves, ignore_index=True)


def evidence_record(
    training: Training,
    metrics: FailureMetrics,
    curves: pd.DataFrame,
    *,
    alerts_per_week: float,
    in_words: list[str],
) -> dict[str, Any]:
    """Return all figures, for people and programs that want to judge by themselves.

    Args:
        training: What was trained here.
        metrics: From `tell`.
        curves: From `alert_curves`.
        alerts_per_week: The budget, per 1,000 cells.
        in_words: The sentences of the reply.
    """
    evidence = training.evidence
    by_end = [("by the end of the data", evidence.by_end)] if evidence.by_end is not None else []
    named = [(f"{days} days", found) for days, found in evidence.horizons.items()] + by_end
    record = {
        "in_words": in_words,
        "split": metrics.split,
        "folds": training.folds,
        "judged_days": evidence.judged_days,
        "alerts_per_week_per_1000_cells": alerts_per_week,
        "deaths": training.deaths,
        "chosen": evidence.chosen,
        "horizons": {name: _horizon(found) for name, found in named},
        "reliability": {name: reliability_of(evidence, name).to_dict("records") for name in METHODS},
        "alert_curves": {
            str(name): curve.drop(columns="method").to_dict("records")
            for name, curve in curves.groupby("method", sort=False)
        },
    }
    return dict(_plain(record))


def write_record(record: dict[str, Any], path: Path) -> None:
    """Write the figures as JSON."""
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def _horizon(found: HorizonEvidence) -> dict[str, Any]:
    names = ("auroc", "auroc_lo95", "auroc_hi95", "skill", "skill_lo95", "skill_hi95")
    return {
        "cell_days": len(found.labels),
        "positive_cell_days": int(found.labels.sum()),
        "base_rate": float(found.labels.mean()) if len(found.labels) else None,
        "classifier_lead": dict(
            zip(names, (*found.lead_over_baseline, *found.skill_over_baseline), strict=True)
        ),
        "methods": {
            name: {
                field.name: _alerts(method.events) if field.name == "events" else getattr(method, field.name)
                for field in fields(MethodEvidence)
                if field.name != "risk"
            }
            for name, method in found.methods.items()
        },
    }


def _alerts(events: AlertResult) -> dict[str, Any]:
    shown = {field.name: getattr(events, field.name) for field in fields(AlertResult)}
    wide = _widened(events)
    return {**shown, **wide, "recall": events.recall, "precision": events.precision}


def _widened(events: AlertResult) -> dict[str, float]:
    """Return the intervals of recall and precision, never narrower than independent events would allow.

    Of three alerts that were right, every draw has only right ones: Wilson's interval knows better.
    """
    counts = {"recall": (events.caught, events.deaths), "precision": (events.right, events.resolved)}
    found: dict[str, float] = {}
    for name, (hits, n) in counts.items():
        low, high = getattr(events, f"{name}_lo95"), getattr(events, f"{name}_hi95")
        least, most = wilson_interval(hits, n) if n else (np.nan, np.nan)
        found |= {f"{name}_lo95": np.fmin(low, least), f"{name}_hi95": np.fmax(high, most)}
    return found


def _metrics(found: MethodEvidence) -> MethodMetrics:
    events, wide = found.events, _widened(found.events)
    values = {
        "auroc": found.auroc,
        "auroc_lo95": found.auroc_lo95,
        "auroc_hi95": found.auroc_hi95,
        "average_precision": found.average_precision,
        "balanced_accuracy": found.balanced_accuracy,
        "brier": found.brier,
        "brier_skill": found.brier_skill,
        "brier_skill_lo95": found.brier_skill_lo95,
        "brier_skill_hi95": found.brier_skill_hi95,
        "calibration_error": found.ece,
        "calibration_slope": found.calibration_slope,
        "event_recall": events.recall,
        "event_recall_lo95": wide["recall_lo95"],
        "event_recall_hi95": wide["recall_hi95"],
        "event_precision": events.precision,
        "event_precision_lo95": wide["precision_lo95"],
        "event_precision_hi95": wide["precision_hi95"],
        "alert_threshold": events.threshold,
        "alerts_per_week": events.per_week,
        "lead_days_median": events.lead_days_median,
        "lead_days_p10": events.lead_days_p10,
    }
    return MethodMetrics(
        deaths=events.deaths,
        deaths_caught=events.caught,
        alerts=events.alerts,
        alerts_resolved=events.resolved,
        alerts_right=events.right,
        **{name: _short(value) for name, value in values.items()},
    )


def _short(value: float) -> float:
    """Round to what a reply has room for and a reader can use."""
    return float(f"{value:.{DIGITS}g}")


def _all(evidence: Evidence, days: float) -> Any:
    return pd.Series(days, index=evidence.timeline.index).to_numpy()


def _plain(value: Any) -> Any:
    """Return nested values as JSON has them: no numpy, null for NaN and infinity."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return finite_or_none(value)
