import re
from pathlib import Path

import anyio
import numpy as np
from bms_forecast.tools import server
from mcp import Client

README = (Path(__file__).parents[2] / "feature-two-timeseries-prediction-mcp" / "README.md").read_text(
    "utf-8"
)


def test_the_python_of_the_readme_runs() -> None:
    names: dict = {}
    exec(re.search(r"```python\n(.*?)```", README, re.DOTALL).group(1), names)
    assert list(names["forecast"].columns) == ["unique_id", "ds", "mean", "q0.05", "q0.5", "q0.95"]
    assert len(names["forecast"]) == 24 and np.isfinite(names["test"].scores.mase)


def test_the_table_of_the_readme_lists_the_live_tools_with_their_arguments() -> None:
    rows = re.findall(r"^\| `(\w+)` \|(.*?)\|", README, re.MULTILINE)
    listed = {name: set(re.findall(r"`(\w+)`(?= |,|$)", arguments.strip())) for name, arguments in rows}

    async def live() -> dict[str, set[str]]:
        async with Client(server) as client:
            return {
                tool.name: set(tool.input_schema["properties"]) for tool in (await client.list_tools()).tools
            }

    assert listed.keys() == anyio.run(live).keys()
    for name, arguments in anyio.run(live).items():
        assert arguments <= listed[name] | {"latest"}, name
