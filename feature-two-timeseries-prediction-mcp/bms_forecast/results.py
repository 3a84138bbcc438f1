"""What the forecast tools return."""

from bms_schema.run.envelope import MaybeFloat, ToolData
from pydantic import Field


class TargetMetrics(ToolData):
    """Rolling-origin figures of one target on windows that neither training nor calibration saw."""

    mase: MaybeFloat = Field(description="below 1: better than the seasonal naive forecast was in the past")
    naive_mase: MaybeFloat = Field(description="the same for the better of last value and seasonal naive")
    rmse: MaybeFloat
    naive_rmse: MaybeFloat
    wql: MaybeFloat = Field(description="weighted quantile loss: the whole forecast, not its middle alone")
    naive_wql: MaybeFloat
    coverage90: MaybeFloat
    coverage50: MaybeFloat
    skill: MaybeFloat = Field(description="1 - error / naive error; above 0 is better than the naive")
    naive: str = Field(description="which naive forecast that is")
    method: str = Field(description="model, a baseline, or a mixture")


class Outlook(ToolData):
    """Where a target stands and is expected at the last step."""

    unit: str
    last: MaybeFloat
    mean: MaybeFloat
    lo90: MaybeFloat
    hi90: MaybeFloat


class CrossedLimit(ToolData):
    """How likely one limit is crossed within the asked steps."""

    target: str
    side: str = Field(description="below or above")
    limit: float
    over: str = Field(description="column that the limit counts from; empty for none")
    unit: str
    probability: float
    hours: float
    now: bool = Field(description="whether the last reading is beyond it already")
    alarm: bool = Field(description="false: a charger's setting, which one healthy cell may leave")
    meaning: str
    words: str


class ForecastData(ToolData):
    """Result of `predict_cell_timeseries`."""

    cell_id: str
    steps: int
    step_seconds: float
    forecast_csv: str
    backtest_csv: str
    metrics: dict[str, TargetMetrics]
    outlook: dict[str, Outlook]
    crossings: list[CrossedLimit] = Field(description="alarms first, the likeliest first")
    plot_png: str
    plot_html: str
    model_version: str
    split: str
    warnings: list[str]
    notes: list[str]


class FleetMetrics(ToolData):
    """Rolling-origin figures of one target, medians over the cells that could be tested."""

    cells: int
    tested: int
    skill: MaybeFloat
    mase: MaybeFloat
    naive_mase: MaybeFloat
    wql: MaybeFloat
    naive_wql: MaybeFloat
    coverage90: MaybeFloat
    coverage50: MaybeFloat
    coverage90_worst_tenth: MaybeFloat = Field(description="mean of the tenth of cells covered worst")
    method: str = Field(description="of most cells")


class RiskyCell(ToolData):
    """A cell and its likeliest alarm."""

    cell_id: str
    probability: float
    target: str
    words: str


class FleetData(ToolData):
    """Result of `forecast_fleet`."""

    cells: int
    steps: int
    step_seconds: float
    forecast_parquet: str
    risk_csv: str
    risky: list[RiskyCell] = Field(description="up to ten, the likeliest to leave their window first")
    outside: list[RiskyCell] = Field(description="up to ten that are outside it already, the deepest first")
    outside_cells: int
    stopped: list[str] = Field(description="cells without recent rows; forecast from their own end")
    metrics: dict[str, FleetMetrics]
    plot_png: str
    plot_html: str
    model_version: str
    split: str
    warnings: list[str]
    notes: list[str]
