"""What the tools of this server return."""

from typing import Literal

from bms_schema.run.envelope import ToolData


class StepData(ToolData):
    """Result of one step."""

    csv: str
    rows: int
    changed: int


class ScaledData(StepData):
    """A scaled table, or one in physical units again; `model_version` has the scaler."""

    model_version: str


class PreprocessData(ToolData):
    """Result of the whole chain."""

    cleaned_csv: str
    features_csv: str
    imputed_csv: str
    scaled_csv: str
    report_json: str
    report_html: str
    sdv_folder: str
    engine: Literal["pandas", "dask"]
    rows_in: int
    rows_out: int
    cells: int
    strings: int
    chemistry: str
    model_version: str
    readings_masked: int
    readings_blank: int
    readings_imputed: int
    gaps: int
    duplicate_rows: int
    outliers: int
    look_at: list[str]
    notes: list[str]
    truncated: bool = False
