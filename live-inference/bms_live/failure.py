"""`/predict/failure`: the failure server's own features and model on readings from a request."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from bms_schema.data.columns import CELL_ID, SENSOR_NAMES, STRING, TIMESTAMP
from bms_schema.run.envelope import Outcome
from bms_schema.run.model_store import model_versions
from bms_schema.run.workspace import models_folder

from bms_live.catalogue import LATEST, wanted_version
from bms_live.requests import FailureRequest
from bms_live.results import CellRisk, FailureData

if TYPE_CHECKING:
    from bms_failure.model import FailureModel
    from bms_failure.scoring import Ranking

MODEL = "failure"
TRAINED_BY = "predict_cell_failure (feature-three-failure-prediction-mcp) on readings with IsDead labels"
_VERSIONS_KEPT = 4


def predict(request: FailureRequest) -> Outcome[FailureData]:
    """Rank the living cells by the model's risk, or by risk indicators where no model has been trained.

    Raises:
        InputError: the readings cannot be used.
        ModelError: no such version, or it does not fit the readings.
    """
    from bms_failure.moments import require_history
    from bms_failure.scoring import rank_by_model, rank_without_labels
    from bms_failure.watch import watch

    from bms_live.readings import battery_table

    untrained = request.model == LATEST and not model_versions(MODEL)
    version = None if untrained else wanted_version(MODEL, request.model, trained_by=TRAINED_BY)
    table = battery_table(
        request.readings, require=(*SENSOR_NAMES, CELL_ID, TIMESTAMP), chemistry=request.chemistry
    )
    watched = watch(table)
    data = FailureData(method="indicators", notes=table.notes, dead_cells=watched.lives.dead_at_end)
    if version is None:
        ranked = rank_without_labels(watched.living)
    else:
        require_history(watched.living)
        model = _model(models_folder(), version, tuple(table.measured), table.chemistry.profile.name)
        ranked = rank_by_model(watched.living, model)
        data.method = "classifier" if model.method == "classifier" else "baseline"
        data.model_version, data.horizon_days = version, model.horizon_days
    data.cells = _cells(ranked)
    data.failing = sum(cell.failing for cell in data.cells)
    return Outcome(_told(data), data)


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
            indicator_score=row["indicator_score"],
            failing=row["failing"],
            reasons=reasons,
            at=row["at"].isoformat(),
        )
        for row, reasons in zip(ranked.table.to_dict("records"), ranked.reasons, strict=True)
    ]


def _told(data: FailureData) -> str:
    gone = f" {len(data.dead_cells)} are dead already and not ranked." if data.dead_cells else ""
    if data.model_version is None:
        return (
            f"{data.failing} of {len(data.cells)} cells stand out. No '{MODEL}' model is stored, so this is a "
            f"ranking by risk indicators and no probability; train one with {TRAINED_BY}.{gone}"
        )
    return (
        f"{data.failing} of {len(data.cells)} cells are above the alert threshold for a death within "
        f"{data.horizon_days} days.{gone}"
    )
