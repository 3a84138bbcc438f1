"""A twin against its original: SDV's reports, what they do not see, and what to make of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bms_generate.dataset import Dataset, Tables
from bms_generate.sdv_reports import SdvScores, run_reports
from bms_generate.sharing import judge_sharing, reused_names, reused_texts
from bms_generate.telemetry_roles import find_roles
from bms_generate.telemetry_scores import TelemetryScores, score_table
from bms_generate.training_worth import judge_training
from bms_generate.verdict import Reason, Verdict, decide

# Least score of SDV's diagnostic for a yes. Another fleet of the same process leaves the real one's ranges in 4 %
# of the values; keys are right or wrong.
_VALIDITY = {"Data Validity": 0.9, "Data Structure": 1.0, "Relationship Validity": 1.0}


@dataclass(frozen=True)
class Evaluation:
    """What was found.

    Args:
        sdv: SDV's own scores.
        tables: Our measures of each table.
        share: Whether the twin may be shared.
        train: Whether models may be trained on it.
    """

    sdv: SdvScores
    tables: dict[str, TelemetryScores]
    share: Verdict
    train: Verdict


def evaluate(real: Dataset, synthetic: Tables, progress: Callable[[str], None]) -> Evaluation:
    """Compare synthetic tables with the real ones they were made of.

    Args:
        real: The real tables, cleaned.
        synthetic: The synthetic ones, read by the same rules.
        progress: Told what is measured next.
    """
    progress("SDV's reports")
    sdv = run_reports(real, synthetic)
    scores: dict[str, TelemetryScores] = {}
    share, train = [], _validity(sdv)
    for name, frame in real.tables.items():
        progress(f"measuring {name}")
        spec = real.metadata["tables"][name]
        roles = find_roles(frame, spec)
        scores[name] = score_table(frame, synthetic[name], roles)
        place = f"{name}: " if len(real.tables) > 1 else ""
        sides = frame, synthetic[name], spec, roles
        found = judge_sharing(scores[name], reused_names(*sides), reused_texts(*sides))
        share += [replace(item, text=place + item.text) for item in found]
        train += [replace(item, text=place + item.text) for item in judge_training(scores[name])]
    return Evaluation(sdv, scores, decide(share), decide(train))


def _validity(sdv: SdvScores) -> list[Reason]:
    return [
        Reason(
            "with care",
            f"SDV's diagnostic finds invalid values or keys: {name} {sdv.properties[name]:.3f} of 1.",
        )
        for name, least in _VALIDITY.items()
        if sdv.properties.get(name, 1.0) < least
    ]
