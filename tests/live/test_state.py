"""What the service tells about itself: health, the model store, its own reference."""

import subprocess
import sys

from bms_schema.run.model_store import new_model_version


def store(name, metrics=None):
    """Store a version of a model that nobody can use, for the listing."""
    arguments = {"columns": {"CellVoltage": "V"}, "features": ["a", "b"], "split": "last 20 % in time"}
    with new_model_version(name, **arguments, metrics=metrics) as (version, folder):
        (folder / "weights.json").write_text("{}")
    return version


def test_health_tells_endpoints_libraries_and_models(client, workspace):
    answer = client.get("/health").json()
    assert answer["status"] == "success"
    assert answer["data"]["workspace"] == str(workspace)
    assert "/predict/anomaly" in answer["data"]["tools"]
    assert all(answer["data"]["libraries"].values())
    assert len(answer["data"]["models"]) == 3 and not any(answer["data"]["models"].values())


def test_an_empty_store_is_no_error(client):
    answer = client.get("/models").json()
    assert (answer["status"], answer["data"]) == ("success", {"models": []})


def test_models_lists_versions_newest_first_and_sees_new_ones_without_a_restart(client):
    first = store("anything", {"auroc": 0.9})
    assert [model["latest"] for model in client.get("/models").json()["data"]["models"]] == [first]
    second = store("anything", {"auroc": float("nan")})
    (model,) = client.get("/models").json()["data"]["models"]
    assert (model["name"], model["latest"], model["truncated"]) == ("anything", second, False)
    by_version = {item["version"]: item for item in model["versions"]}
    assert set(by_version) == {first, second}
    assert by_version[first]["metrics"] == {"auroc": 0.9}
    assert by_version[second]["metrics"] == {"auroc": None}
    assert by_version[first]["columns"] == {"CellVoltage": "V"}
    assert by_version[first]["features"] == 2


def test_a_damaged_version_is_listed_with_its_problem(client, workspace):
    version = store("anything")
    (workspace / "models" / "anything" / version / "meta.json").write_text("{")
    (model,) = client.get("/models").json()["data"]["models"]
    assert "unreadable" in model["versions"][0]["problem"]


def test_the_reference_shows_every_endpoint_and_loads_nothing_from_elsewhere(client):
    page = client.get("/docs").text
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {"/predict/anomaly", "/predict/failure", "/predict/forecast", "/health", "/models"}
    assert all(f">{path}<" in page for path in paths)
    assert "http://" not in page and "https://" not in page and "src=" not in page


def test_a_listed_failure_model_shows_its_evidence_but_not_its_alert_curve(client, trained):
    models = {model["name"]: model for model in client.get("/models").json()["data"]["models"]}
    metrics = models["failure"]["versions"][0]["metrics"]
    assert metrics["in_words"] and metrics["methods"]
    assert "budget" not in metrics


def test_every_answer_is_described_as_the_envelope(client):
    description = client.get("/openapi.json").json()
    for operations in description["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                reference = response["content"]["application/json"]["schema"]["$ref"]
                schema = description["components"]["schemas"][reference.rsplit("/", 1)[-1]]
                assert set(schema["properties"]) == {"status", "message", "data", "log_path"}


def test_building_the_service_loads_no_heavy_library():
    heavy = {"pandas", "numpy", "torch", "sklearn", "xgboost", "matplotlib", "plotly", "sdv", "mcp"}
    code = f"import sys, bms_live.app as a; a.create_app(); print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
