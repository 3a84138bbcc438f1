"""What the forecast tools return."""

from bms_schema.run.envelope import MaybeFloat, ToolData
from pydantic import Field


class TargetMetrics(ToolData):
    """Rolling-origin figures of one target on windows that neither training nor calibration saw."""

    mase: MaybeFloat = Field(description="below 1: better than the seasonal naive forecast was in the past")
    naive_mase: MaybeFloat = Field(description="the same for the better of last value and seasonal naive")
    rmse: MaybeFloat
    naive_rmse: MaybeFloat
    coverage90: MaybeFloat
    skill: MaybeFloat = Field(description="1 - error / naive error; above 0 is better than the naive")
    method: str = Field(description="model or the baseline that is used")


class Outlook(ToolData):
    """Where a target stands and is expected at the last step."""

    unit: str
    last: MaybeFloat
    mean: MaybeFloat
    lo90: MaybeFloat
    hi90: MaybeFloat


class ForecastData(ToolData):
    """Result of `predict_cell_timeseries`."""

    cell_id: str
    steps: int
    step_seconds: float
    forecast_csv: str
    backtest_csv: str
    metrics: dict[str, TargetMetrics]
    outlook: dict[str, Outlook]
    plot_png: str
    plot_html: str
    model_version: str
    split: str
    warnings: list[str]
    notes: list[str]
