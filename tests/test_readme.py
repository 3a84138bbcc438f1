"""The READMEs show only what runs."""

import re

from bms_schema.data.columns import COLUMNS, MEASURED_NAMES
from bms_schema.data.feature_table import with_table

from tests.servers import ROOT, SERVERS

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_chain_from_python_runs():
    (code,) = re.findall(r"```python\n(.+?)```", README, flags=re.DOTALL)
    found: dict = {}
    exec(code, found)
    assert len(found["score"]) == len(found["readings"])
    assert found["forecast"]["unique_id"].nunique() == 24
    assert found["risk"]["risk"].between(0, 1).all()


def test_every_tool_stands_in_the_tools_table():
    rows = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.+?) \|", README, flags=re.MULTILINE))))
    promised = {tool for server in SERVERS for tool in server.tools} | {
        "health_check",
        "run_status",
        "cancel_run",
    }
    assert promised <= rows


def test_every_column_and_its_unit_stand_in_the_data_table():
    for name in MEASURED_NAMES:
        assert f"| `{name}` | {COLUMNS[name].unit or '–'}" in README


def test_both_commands_are_there_and_ci_runs_the_second():
    assert "    pip install uv && uv run agent-driver/run_full_pipeline.py\n" in README
    assert "    uv run pytest\n" in README
    assert "uv run pytest\n" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_the_features_table_is_the_one_that_the_code_generates():
    text = (ROOT / "load-preprocessdata-mcp/README.md").read_text(encoding="utf-8")
    assert text == with_table(text), (
        "run: python -m bms_schema.data.feature_table load-preprocessdata-mcp/README.md"
    )
