"""What a run that fails on its last step leaves behind."""

from pathlib import Path

import bms_failure.publish
import pandas as pd
import pytest
from bms_failure.workflow import predict_failure
from bms_schema.run.run_folder import Run


def test_a_run_whose_page_cannot_be_written_leaves_no_model(
    readings: pd.DataFrame, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workspace.parent / "fleet.parquet"
    readings.to_parquet(path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bms_failure.publish, "write_report", full)
    with pytest.raises(OSError, match="No space"):
        predict_failure(
            Run("bms-failure", "predict_cell_failure"), data_path=str(path), horizon_days=30, model="", seed=0,
            chemistry="auto", output_format="csv",
        )  # fmt: skip
    assert not list((workspace / "models").glob("failure/*"))
