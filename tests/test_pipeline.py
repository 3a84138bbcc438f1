"""The whole chain as a user runs it: real environments, real servers, real files."""

import json
import subprocess

import pytest
from bms_generate.simulate import simulate_fleet

from tests.servers import ROOT

STAGES = ["preprocess", "generate", "evaluate", "visualize", "anomaly", "anomaly_3d", "forecast", "failure"]


@pytest.mark.stdio
@pytest.mark.timeout(900)
def test_the_driver_takes_a_raw_log_to_one_report(tmp_path):
    fleet = simulate_fleet(
        n_strings=3, cells_per_string=8, days=12, interval_minutes=60, seed=5, death_fraction=0.2
    )
    log = tmp_path / "log.csv"
    raw = fleet.readings.rename(
        columns={"Cell ID": "CellNumber", "string": "SiteID", "Timestamp": "PacketDateTime"}
    )
    raw["CellNumber"] = raw["CellNumber"].str.split("/C").str[1].astype(int)
    raw.to_csv(log, index=False)

    command = [
        "uv",
        "run",
        "agent-driver/run_full_pipeline.py",
        str(log),
        "--steps",
        "12",
        "--json",
        "--out",
        str(tmp_path / "out"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    result = json.loads(done.stdout)
    stages = result["stages"]
    assert result["status"] == "success"
    assert {name: stages[name]["status"] for name in STAGES} == dict.fromkeys(STAGES, "success")
    assert stages["preprocess"]["data"]["cells"] == 24
    assert stages["preprocess"]["data"]["rows_out"] == len(raw)
    assert stages["failure"]["data"]["method"] in {"classifier", "baseline", "indicators"}
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert report.count("data:image/png;base64,") >= 4
    assert json.loads((tmp_path / "out" / "pipeline.json").read_text()) == result
    left = [item.name for item in (tmp_path / "home" / "runs").iterdir()]
    assert not [name for name in left if name.endswith((".partial", ".failed"))]
