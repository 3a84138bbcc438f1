"""What the endpoints answer in `data`; a number that is not known is null."""

from typing import Any, Literal

from bms_forecast.results import CrossedLimit
from bms_schema.run.envelope import MaybeFloat, ToolData
from pydantic import Field


class PredictionData(ToolData):
    """What every prediction says beside its figures."""

    model_version: str | None = Field(
        default=None, description="Version that answered; null without a model."
    )
    notes: list[str] = Field(
        description="How the readings were understood, and what makes the answer less sure."
    )


class ScoredReading(ToolData):
    """One reading and how oddly it behaves."""

    source_row: int = Field(description="0-based position in the readings sent.")
    cell_id: str
    timestamp: str | None
    score: MaybeFloat = Field(description="Higher = more anomalous; null where nothing was measured.")
    anomaly: bool
    top_signal: str | None = Field(description="The signal that explains the score most.")


class AnomalyData(PredictionData):
    """Scored readings, most anomalous first for 'latest', in the order sent for 'all'."""

    score_kind: Literal["trailing", "retrospective"] = Field(
        description="'trailing': from the readings up to the row's own moment, so later ones never change it; "
        "'retrospective': from later readings too, as in detect_anomalies."
    )
    rows: list[ScoredReading]
    anomalies: int


class CellRisk(ToolData):
    """One living cell and how likely it is to die."""

    cell_id: str
    string: str
    rank: int = Field(description="1 = riskiest.")
    risk: MaybeFloat = Field(description="Probability of death within the horizon; null without a model.")
    risk_by_days: dict[str, MaybeFloat] = Field(
        default={}, description="Probability of death within each horizon of the model, by its days."
    )
    expected: str = Field(default="", description="How long it may last, in words, with an 80 % interval.")
    days_to_death: MaybeFloat = Field(
        default=None, description="When half of such cells have died; null beyond the model's last horizon."
    )
    indicator_score: MaybeFloat = Field(description="Orders the cells where no probability can be given.")
    failing: bool = Field(
        description="Above the model's alert threshold, or two signs far outside the fleet."
    )
    reasons: list[str] = Field(description="Up to three signs, the heaviest first.")
    at: str = Field(description="Time of the reading that the answer is for.")


class FailureData(PredictionData):
    """Living cells, riskiest first."""

    method: Literal["classifier", "baseline", "indicators"]
    horizon_days: int | None = Field(default=None, description="What risk refers to; null for indicators.")
    cells: list[CellRisk] = []
    failing: int = 0
    dead_cells: list[str] = Field(description="Cells whose IsDead is 1 at the end; they are not ranked.")


class ForecastPoint(ToolData):
    """One step ahead, with the 50 % and the 90 % interval, in the target's unit."""

    timestamp: str
    mean: MaybeFloat
    lo50: MaybeFloat
    hi50: MaybeFloat
    lo90: MaybeFloat
    hi90: MaybeFloat


class TargetForecast(ToolData):
    """What one measured quantity will do."""

    target: str
    unit: str
    method: str = Field(
        description="'model', a simpler forecast such as 'last value' or 'daily profile', or a mixture of them."
    )
    points: list[ForecastPoint]


class ForecastData(PredictionData):
    """Forecast of one cell."""

    cell_id: str
    step_seconds: float
    targets: list[TargetForecast]
    crossings: list[CrossedLimit] = Field(
        description="How likely each limit is crossed within the steps; alarms first, the likeliest first."
    )


class StoredVersion(ToolData):
    """One version of a model."""

    version: str
    created: str | None = None
    columns: dict[str, str] = Field(default={}, description="Columns it was trained on, with their units.")
    features: int | None = None
    split: str | None = None
    metrics: dict[str, Any] = {}
    training_run: str | None = None
    problem: str | None = Field(default=None, description="Why this version cannot be read.")


class StoredModel(ToolData):
    """A model and its versions, newest first."""

    name: str
    latest: str | None
    versions: list[StoredVersion]
    truncated: bool = Field(description="Older versions are stored that are not listed.")


class ModelsData(ToolData):
    """The model store."""

    models: list[StoredModel]
