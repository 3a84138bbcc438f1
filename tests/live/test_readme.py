"""The README shows what the service does."""

import importlib
import json
import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "live-inference" / "README.md").read_text(encoding="utf-8")


def shape(value):
    """Return the names in a JSON value, without the values."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else None


def test_the_call_gives_an_answer_like_the_one_shown(client, trained):
    request = json.loads(re.search(r"-d '(.+?)'\n```", README, re.DOTALL).group(1))
    shown = json.loads(re.search(r"```json\n(.+?)```", README, re.DOTALL).group(1))
    answer = client.post("/predict/anomaly", json=request).json()
    assert answer["status"] == "success", answer["message"]
    assert shape(answer) == shape(shown)
    assert answer["data"]["notes"] == shown["data"]["notes"]
    assert answer["data"]["rows"][0]["cell_id"] == shown["data"]["rows"][0]["cell_id"]


def test_the_table_lists_the_live_endpoints_with_their_fields(client):
    description = client.get("/openapi.json").json()
    rows = dict(re.findall(r"^\| `((?:GET|POST) \S+)` \| (.*?) \|", README, re.MULTILINE))
    live = {
        f"{method.upper()} {path}": operation
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    }
    assert set(rows) == set(live)
    for name, operation in live.items():
        if "requestBody" in operation:
            reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            fields = description["components"]["schemas"][reference.rsplit("/", 1)[-1]]["properties"]
            assert set(re.findall(r"`(\w+)`", rows[name])) == set(fields)


@pytest.mark.parametrize("name", ["anomaly", "forecast", "failure"])
def test_every_model_says_what_trains_it(client, trained, name):
    tool = re.search(rf"^\| `{name}` \| `(\w+)`", README, re.MULTILINE).group(1)
    stored = {model["name"] for model in client.get("/models").json()["data"]["models"]}
    trained_by = importlib.import_module(f"bms_live.{name}").TRAINED_BY
    assert name in stored and tool in trained_by
