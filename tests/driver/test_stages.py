"""The graph and the choice of the cell to forecast."""

from pathlib import Path

import pytest
from bms_driver.cells import choose_cell
from bms_driver.stages import STAGE_NAMES, STAGES, servers_of, with_prerequisites


@pytest.mark.parametrize(
    ("asked", "run"),
    [
        (["evaluate"], ["preprocess", "generate", "evaluate"]),
        (["visualize", "anomaly_3d"], ["preprocess", "generate", "visualize", "anomaly", "anomaly_3d"]),
        (["failure", "forecast"], ["preprocess", "forecast", "failure"]),
    ],
)
def test_prerequisites_come_along_in_running_order(asked: list[str], run: list[str]):
    assert list(with_prerequisites(asked, simulate=False)) == run
    assert list(with_prerequisites(asked, simulate=True)) == ["simulate", *run]


def test_every_stage_stands_after_what_it_needs():
    names = list(STAGES)
    assert all(names.index(need) < names.index(name) for name in names for need in STAGES[name].needs)
    expected = "preprocess generate evaluate visualize anomaly anomaly_3d forecast failure"
    assert " ".join(STAGE_NAMES) == expected


def test_only_the_servers_of_the_asked_stages_are_needed():
    assert servers_of(with_prerequisites(["forecast"], simulate=False)) == (
        "load-preprocessdata-mcp",
        "feature-two-timeseries-prediction-mcp",
    )


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cleaned.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_cell_with_most_voltage_readings_is_chosen_whatever_else_it_lacks(tmp_path: Path):
    rows = "a,,1\na,nan,1\na,2.1,1\nb,2.1,\nb,2.2,\n"
    choice = choose_cell(written(tmp_path, "Cell ID,CellVoltage,x\n" + rows))
    assert choice.cell_id == "b"
    assert choice.why == "Cell b was chosen: the most voltage readings (2) of 2 cells."


def test_of_equals_the_first_in_the_file_is_chosen(tmp_path: Path):
    choice = choose_cell(written(tmp_path, "CellVoltage,Cell ID\n2.1,z\n2.1,a\n"))
    assert choice.cell_id == "z"
    assert "first of 2 cells" in choice.why


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no column Cell ID and CellVoltage"),
        ("Cell ID\na\n", "no column CellVoltage"),
        ("Cell ID,CellVoltage\n", "no cell"),
        ("Cell ID,CellVoltage\na,\n", "no cell"),
    ],
)
def test_a_table_without_a_cell_to_forecast_is_refused_with_the_reason(tmp_path: Path, text: str, told: str):
    with pytest.raises(ValueError, match=told):
        choose_cell(written(tmp_path, text))


def test_a_table_that_is_no_text_is_refused(tmp_path: Path):
    path = tmp_path / "cleaned.csv"
    path.write_bytes(b"PAR1\xff\xfe\x00")
    with pytest.raises(ValueError, match="cannot be read as CSV"):
        choose_cell(path)


def test_the_readme_names_each_stage_with_its_server_and_tool():
    readme = (Path(__file__).parents[2] / "agent-driver" / "README.md").read_text(encoding="utf-8")
    for stage in STAGES.values():
        assert f"| `{stage.name}` | {stage.server} | `{stage.tool}`" in readme
