"""`/predict/failure`: the failure server's own features and model on readings from a request."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from bms_schema.data.columns import CELL_ID, STRING
from bms_schema.run.envelope import Outcome
from bms_schema.run.model_store import model_versions
from bms_schema.run.workspace import models_folder

from bms_live.catalogue import LATEST, sidecar, wanted_version
from bms_live.requests import FailureRequest
from bms_live.results import CellRisk, FailureData

if TYPE_CHECKING:
    from bms_failure.model import FailureModel
    from bms_failure.scoring import Ranking

MODEL = "failure"
TRAINED_BY = "predict_cell_failure (feature-three-failure-prediction-mcp) on readings with IsDead labels"
_VERSIONS_KEPT = 4


def predict(request: FailureRequest) -> Outcome[FailureData]:
    """Rank the living cells by the model's risk, or by risk indicators where no model can tell.

    Raises:
        InputError: the readings cannot be used.
        ModelError: no such version, or it does not fit the readings.
    """
    from bms_failure.moments import require_history
    from bms_failure.needs import REQUIRED, what_is_missing
    from bms_failure.scoring import rank_by_model, rank_without_labels
    from bms_failure.watch import watch

    from bms_live.readings import battery_table

    untrained = request.model == LATEST and not model_versions(MODEL)
    version = None if untrained else wanted_version(MODEL, request.model, trained_by=TRAINED_BY)
    table = battery_table(request.readings, require=REQUIRED, chemistry=request.chemistry)
    watched = watch(table)
    notes = [*what_is_missing(watched.source), *table.notes]
    data = FailureData(method="indicators", notes=notes, dead_cells=watched.lives.dead_at_end)
    lacking = _lacking(version, table.measured) if version and request.model == LATEST else ""
    if version is None or lacking:
        ranked = rank_without_labels(watched.living)
    else:
        require_history(watched.living)
        model = _model(models_folder(), version, tuple(table.measured), table.chemistry.profile.name)
        ranked = rank_by_model(watched.living, model, asked_days=request.horizon_days)
        data.method = "classifier" if model.method == "classifier" else "baseline"
        data.model_version, data.horizon_days = version, ranked.days
    data.cells = _cells(ranked)
    data.failing = sum(cell.failing for cell in data.cells)
    return Outcome(_told(data, lacking, request.horizon_days), data)


def _lacking(version: str, measured: Sequence[str]) -> str:
    """Name the sensors that a version was trained with and the readings lack."""
    meta = sidecar(MODEL, version)
    return ", ".join(name for name in meta.columns if name not in measured) if meta else ""


@lru_cache(maxsize=_VERSIONS_KEPT)
def _model(store: Path, version: str, measured: tuple[str, ...], chemistry: str) -> FailureModel:
    """Load a version once; `store` is part of the key because versions belong to a workspace."""
    from bms_failure.storage import load_model

    return load_model(version, measured=measured, chemistry=chemistry)[0]


def _cells(ranked: Ranking) -> list[CellRisk]:
    return [
        CellRisk(
            cell_id=row[CELL_ID],
            string=row[STRING],
            rank=row["rank"],
            risk=row["risk"],
            risk_by_days={str(days): row[f"risk_{days}d"] for days in ranked.horizons},
            expected=row["expected"],
            days_to_death=row["days_to_death"],
            indicator_score=row["indicator_score"],
            failing=row["failing"],
            reasons=reasons,
            at=row["at"].isoformat(),
        )
        for row, reasons in zip(ranked.table.to_dict("records"), ranked.reasons, strict=True)
    ]


def _told(data: FailureData, lacking: str, asked_days: int | None) -> str:
    gone = f" {len(data.dead_cells)} are dead already and not ranked." if data.dead_cells else ""
    if data.model_version is None:
        why = (
            f"The latest '{MODEL}' model was trained with {lacking}, of which there is no reading"
            if lacking
            else f"No '{MODEL}' model is stored"
        )
        return (
            f"{data.failing} of {len(data.cells)} cells stand out. {why}, so this is a ranking by risk indicators "
            f"and no probability; train one with {TRAINED_BY}.{gone}"
        )
    short = asked_days is not None and data.horizon_days is not None and data.horizon_days < asked_days
    reach = f" Risks are for {data.horizon_days} days, as far as the model reaches." if short else ""
    return f"{data.failing} of {len(data.cells)} cells are on the alert list.{reach}{gone}"
