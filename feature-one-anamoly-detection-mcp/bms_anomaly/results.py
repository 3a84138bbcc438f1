"""What the tools return."""

from typing import Literal

from bms_schema.run.envelope import MaybeFloat, ToolData
from pydantic import Field


class TopCell(ToolData):
    """A cell with events."""

    cell_id: str
    string: str
    kind: str = Field(description="kind of its strongest event")
    about: str = Field(description="whether that event is of the cell or of its sensor")
    evidence: str = Field(description="what was seen, with numbers")
    peak_score: MaybeFloat
    events: int
    anomalous_rows: int


class AnomalyData(ToolData):
    """Result of detect_anomalies."""

    result_csv: str = Field(description="one line per input row: scores, shares, readings")
    events_csv: str = Field(description="one line per event")
    timeline_png: str = Field(description="the worst cells over time, events shaded")
    timeline_html: str
    heatmap_png: str = Field(description="every string over time, coloured by score")
    heatmap_html: str
    model_version: str
    engine: Literal["pandas", "dask"]
    rows: int
    rows_without_reading: int = Field(description="no sensor answered: score empty, anomaly 0")
    anomalies: int
    events: int
    sensor_events: int = Field(description="events of a sensor, not of a cell")
    kinds: dict[str, int] = Field(description="events of each kind")
    top_cells: list[TopCell] = Field(description="at most 10, worst first")
    truncated: bool = Field(description="top_cells or notes leave some out")
    split: str = Field(description="rows fitted on and held out")
    notes: list[str] = Field(description="how the table was read")


class PlotData(ToolData):
    """Result of visualize_anomalies_3d."""

    plot_png: str
    plot_html: str
    x: str
    y: str
    z: str
    points: int
    anomalies: int
    sensor_faults: int = Field(description="anomalous rows of a sensor's events, not of a cell's")
