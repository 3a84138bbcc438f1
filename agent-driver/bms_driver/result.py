"""What one stage ended with, and the object that a whole run hands out."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bms_driver.stages import SIMULATE, STAGE_NAMES

Status = Literal["success", "error", "skipped"]


@dataclass(frozen=True)
class StageResult:
    """The end of one stage; `data` is the tool's own, None unless it succeeded."""

    status: Status
    message: str
    seconds: float = 0.0
    data: dict[str, Any] | None = None
    log_path: str | None = None


Results = Mapping[str, StageResult]


def overall_status(results: Results) -> Literal["success", "error"]:
    """Return "error" as soon as one stage failed; stages that were not asked for do not count."""
    return "error" if any(result.status == "error" for result in results.values()) else "success"


def pipeline_object(results: Results, data_path: str | None, report: str | None) -> dict[str, Any]:
    """Return the object of `pipeline.json` and `--json`; its keys are a contract."""
    names = [SIMULATE, *STAGE_NAMES]
    return {
        "status": overall_status(results),
        "data_path": data_path,
        "report": report,
        "stages": {
            name: {
                "status": results[name].status,
                "message": results[name].message,
                "seconds": round(results[name].seconds, 2),
                "data": results[name].data,
            }
            for name in names
            if name in results
        },
    }


def to_json(value: dict[str, Any]) -> str:
    """Return strict JSON: a NaN or infinity that slipped into a result becomes null."""
    return json.dumps(_finite(value), indent=2, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
