"""Whatever goes wrong comes back as the envelope, with a status and what to do."""

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import bms_live.anomaly
import pytest
from bms_live.app import create_app
from bms_live.errors import status_of
from bms_live.results import AnomalyData
from bms_schema.run.envelope import Outcome
from bms_schema.run.errors import InvalidArgument, MissingColumn, ModelError, NotEnoughData
from fastapi.testclient import TestClient

READING = {
    "Cell ID": "1",
    "CellVoltage": 2.25,
    "CellTemperature": 25.0,
    "InstantaneousCurrent": 0.2,
    "AmbientTemperature": 22.0,
    "CellSpecificGravity": 1.215,
}
GOOD = {"readings": [READING]}


def refused(response, status, *words):
    """Assert that a response is an error envelope that holds the words; return its message."""
    assert response.status_code == status, response.text
    envelope = response.json()
    assert set(envelope) == {"status", "message", "data", "log_path"}
    assert (envelope["status"], envelope["data"], envelope["log_path"]) == ("error", None, None)
    assert all(word in envelope["message"] for word in words), envelope["message"]
    assert "Traceback" not in response.text
    return envelope["message"]


def test_an_unknown_route_names_the_known_ones(client):
    refused(client.get("/predict"), 404, "/predict/anomaly", "/health")


def test_a_wrong_method_names_the_right_one(client):
    refused(client.get("/predict/anomaly"), 405, "POST /predict/anomaly")


@pytest.mark.parametrize("body", [b"{nope", b"", b"[" * 100_000, b"\xff\xfe"])
def test_a_body_that_is_no_json_is_refused(client, body):
    response = client.post("/predict/anomaly", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422)
    refused(response, response.status_code)


def test_a_body_not_sent_as_json_says_how(client):
    refused(client.post("/predict/anomaly", content=json.dumps(GOOD)), 400, "Content-Type: application/json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"readings": []}, ["readings", "at least 1"]),
        ({"readings": [READING, 4]}, ["readings.1"]),
        ({"readings": [{"CellVoltage": [1, 2]}]}, ["readings.0.CellVoltage", "number"]),
        ({"readings": [{"CellVoltage": "x" * 1001}]}, ["readings.0.CellVoltage", "1000"]),
        ({"readings": [{"CellVoltage": 10**400}]}, ["readings.0.CellVoltage"]),
        ({"rows": "some"}, ["rows", "'latest' or 'all'", "some"]),
        ({"chemistry": "salt"}, ["chemistry", "vrla"]),
        ({"speed": 1}, ["speed"]),
    ],
)
def test_a_malformed_request_names_the_field(client, change, words):
    refused(client.post("/predict/anomaly", json=GOOD | change), 422, *words)


@pytest.mark.parametrize("reading", [{"Cell ID": "\ud800"}, {"\ud800": 1}, {"Cell ID": ["\ud800"]}])
def test_text_that_is_no_unicode_is_refused(client, reading):
    body = json.dumps({"readings": [READING | reading]})
    response = client.post("/predict/anomaly", content=body, headers={"Content-Type": "application/json"})
    refused(response, 422, "readings.0")


@pytest.mark.parametrize("steps", [0, -1, 10**9, 1.5, "many"])
def test_steps_are_bounded(client, steps):
    body = GOOD | {"cell_id": "1", "steps": steps}
    refused(client.post("/predict/forecast", json=body), 422, "steps")


def test_more_readings_than_the_limit_are_refused(client, monkeypatch):
    readings = ",".join(["{}"] * 200_001)
    response = client.post(
        "/predict/anomaly",
        content=f'{{"readings": [{readings}]}}',
        headers={"Content-Type": "application/json"},
    )
    refused(response, 422, "200000")


def test_one_bad_value_among_many_is_told_once(client):
    message = refused(client.post("/predict/anomaly", json={"readings": [{"a": []}] * 1000}), 422)
    assert len(message) < 500


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_refused_whether_announced_or_not(announced):
    body = json.dumps({"readings": [READING] * 100}).encode()
    content = body if announced else iter([body[:1000], body[1000:]])
    with TestClient(create_app(max_body_bytes=5000)) as client:
        headers = {"Content-Type": "application/json"}
        refused(client.post("/predict/anomaly", content=content, headers=headers), 413, "5,000", "fewer")
        assert client.get("/health").status_code == 200


@pytest.mark.parametrize("gone", ["CellVoltage", "Cell ID", "Timestamp"])
def test_a_required_column_that_is_missing_is_named(client, gone):
    reading = {name: value for name, value in (READING | {"Timestamp": 0}).items() if name != gone}
    refused(client.post("/predict/failure", json={"readings": [reading]}), 422, gone)


@pytest.mark.parametrize(("endpoint", "tool"), [("anomaly", "detect_anomalies"), ("forecast", "timeseries")])
def test_without_a_model_the_tool_that_trains_one_is_named(client, endpoint, tool):
    body = GOOD | ({"cell_id": "1"} if endpoint == "forecast" else {})
    refused(client.post(f"/predict/{endpoint}", json=body), 503, "trained", tool)


def test_the_unforeseen_is_told_without_a_traceback_and_the_service_lives_on(client, monkeypatch, caplog):
    def broken(request):
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr(bms_live.anomaly, "predict", broken)
    with caplog.at_level(logging.ERROR):
        refused(client.post("/predict/anomaly", json=GOOD), 500, "ZeroDivisionError")
    assert client.get("/health").json()["status"] == "success"


def test_while_a_prediction_runs_health_answers_and_too_many_are_sent_away(monkeypatch):
    running, release = threading.Event(), threading.Event()

    def patient(request):
        running.set()
        assert release.wait(30)
        return Outcome("done", AnomalyData(notes=[], score_kind="trailing", rows=[], anomalies=0))

    monkeypatch.setattr(bms_live.anomaly, "predict", patient)
    with TestClient(create_app(most_waiting=0)) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.post, "/predict/anomaly", json=GOOD)
        assert running.wait(30)
        assert client.get("/health").status_code == 200
        refused(client.post("/predict/failure", json=GOOD), 503, "Try again")
        release.set()
        assert first.result(30).json()["message"] == "done"


def test_each_kind_of_error_has_its_status():
    kinds = {InvalidArgument: 400, MissingColumn: 422, NotEnoughData: 422, ModelError: 409}
    assert {kind: status_of(kind("x")) for kind in kinds} == kinds
