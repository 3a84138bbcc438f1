"""What is true of all five servers, for the tests that go through them."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Server:
    """A server folder, its package and the tools the design promises, each with valid first arguments."""

    folder: str
    package: str
    tools: tuple[str, ...]

    @property
    def path(self) -> Path:
        return ROOT / self.folder

    def module(self) -> ModuleType:
        return importlib.import_module(f"{self.package}.tools")


SERVERS = (
    Server(
        "load-preprocessdata-mcp",
        "bms_preprocess",
        (
            "preprocess_battery_data_tool",
            "clean_and_filter_data",
            "engineer_battery_features",
            "impute_battery_data_mice",
            "impute_and_scale_battery_data",
        ),
    ),
    Server(
        "data-generator-mcp",
        "bms_generate",
        ("sdv_generate", "sdv_evaluate", "sdv_visualize", "simulate_battery_fleet"),
    ),
    Server(
        "feature-one-anamoly-detection-mcp", "bms_anomaly", ("detect_anomalies", "visualize_anomalies_3d")
    ),
    Server(
        "feature-two-timeseries-prediction-mcp", "bms_forecast", ("predict_cell_timeseries", "forecast_fleet")
    ),
    Server("feature-three-failure-prediction-mcp", "bms_failure", ("predict_cell_failure",)),
)
