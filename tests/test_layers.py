"""The arrows of the design: who may import whom, and what every project must agree on."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SERVERS = {
    "bms_preprocess": "load-preprocessdata-mcp",
    "bms_generate": "data-generator-mcp",
    "bms_anomaly": "feature-one-anamoly-detection-mcp",
    "bms_forecast": "feature-two-timeseries-prediction-mcp",
    "bms_failure": "feature-three-failure-prediction-mcp",
}
OTHERS = {"bms_schema": "schema", "bms_live": "live-inference", "bms_driver": "agent-driver"}
FOLDERS = SERVERS | OTHERS
OURS = set(FOLDERS)
HEAVY = {"torch", "xgboost", "sdv"}
LIVE_MAY_IMPORT = {"bms_schema", "bms_anomaly", "bms_forecast", "bms_failure"}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / FOLDERS[package] / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Return the full names of the modules a file imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
    return names


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize("package", sorted(OURS))
def test_the_package_exists_and_imports_only_what_it_may(package):
    allowed = {package, "bms_schema"}
    if package == "bms_live":
        allowed |= LIVE_MAY_IMPORT
    if package == "bms_driver":
        allowed = {package}
    files = sources(package)
    assert files
    for path in files:
        assert tops(path) & OURS <= allowed, path


def test_the_schema_never_imports_the_heavy_libraries():
    for path in sources("bms_schema"):
        assert not tops(path) & HEAVY, path


@pytest.mark.parametrize("package", sorted(OURS - {"bms_driver"}))
def test_only_tools_and_the_boundary_know_mcp(package):
    for path in sources(package):
        if path.name not in {"tools.py", "mcp_boundary.py"}:
            assert "mcp" not in tops(path), path


def test_data_knows_nothing_of_running_but_the_errors():
    for path in (ROOT / "schema/bms_schema/data").glob("*.py"):
        run = {name for name in imported(path) if name.startswith("bms_schema.run")}
        assert run <= {"bms_schema.run.errors"}, path


@pytest.mark.parametrize("package", sorted(SERVERS))
def test_tools_call_workflow_and_pure_modules_call_neither(package):
    for path in sources(package):
        inner = {
            name.removeprefix(f"{package}.") for name in imported(path) if name.startswith(f"{package}.")
        }
        if path.name == "tools.py":
            assert inner <= {"workflow", "results"}, path
        elif path.name == "workflow.py":
            assert "tools" not in inner, path
        else:
            assert not inner & {"tools", "workflow"}, path


@pytest.mark.parametrize("package", sorted(SERVERS))
def test_every_server_has_the_same_skeleton(package):
    folder = ROOT / SERVERS[package]
    for name in ("server.py", "pyproject.toml", "README.md", f"{package}/tools.py", f"{package}/workflow.py"):
        assert (folder / name).is_file(), name
    assert len((folder / "server.py").read_text(encoding="utf-8").splitlines()) < 10


@pytest.mark.parametrize("package", sorted(OURS))
def test_no_pyplot_no_print_no_pickle(package):
    for path in sources(package):
        names = imported(path)
        assert not names & {"matplotlib.pyplot", "pickle", "joblib", "cloudpickle", "dill"}, path


def projects() -> dict[str, dict]:
    folders = ["", *FOLDERS.values()]
    return {
        name: tomllib.loads((ROOT / name / "pyproject.toml").read_text(encoding="utf-8")) for name in folders
    }


def test_every_project_resolves_as_of_the_same_day_on_the_same_python():
    read = projects()
    script = (ROOT / "agent-driver/run_full_pipeline.py").read_text(encoding="utf-8")
    days = {item["tool"]["uv"]["exclude-newer"] for item in read.values()}
    days |= set(re.findall(r'exclude-newer = "(.+?)"', script))
    assert len(days) == 1
    assert {item["project"]["requires-python"] for item in read.values()} == {">=3.11"}


@pytest.mark.parametrize("folder", [*SERVERS.values(), "live-inference"])
def test_the_schema_is_named_by_exactly_one_line(folder):
    text = (ROOT / folder / "pyproject.toml").read_text(encoding="utf-8")
    assert text.count('bms-schema = { path = "../schema", editable = true }\n') == 1


@pytest.mark.parametrize("folder", SERVERS.values())
def test_every_server_lists_mcp_itself(folder):
    assert "mcp>=2.3,<3" in projects()[folder]["project"]["dependencies"]
