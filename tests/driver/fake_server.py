"""A stdio server with the product's tool names, small canned results and faults on demand.

Run as `python fake_server.py SERVER_NAME`. It speaks the protocol with the standard library alone,
because twenty-five of them are started and the SDK takes a second of processor time to import.

FAKE_HOME: folder for canned files and for `calls.jsonl`, a line for each call's begin and end.
FAKE_FAULTS: JSON {tool or "start:SERVER_NAME": fault}; the faults are the branches of `_answer`.
"""

import csv
import json
import os
import struct
import sys
import threading
import time
import zlib
from pathlib import Path
from typing import Any

HOME = Path(os.environ["FAKE_HOME"])
FAULTS: dict[str, str] = json.loads(os.environ.get("FAKE_FAULTS", "{}"))
STAMP = "2026-01-01T00:00:00"
METHOD_NOT_FOUND = -32601

ENVELOPE_SCHEMA = {
    "type": "object",
    "properties": {"status": {"enum": ["success", "error"]}, "message": {"type": "string"}},
    "required": ["status", "message", "data", "log_path"],
}


def _csv(name: str, rows: list[dict[str, Any]]) -> str:
    path = HOME / name
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def _png(name: str) -> str:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\x40\x80\0\x80\x40"))
    path = HOME / name
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b""))
    return str(path)


def _page(name: str) -> str:
    path = HOME / name
    path.write_text("<!DOCTYPE html><title>plot</title>")
    return str(path)


def simulate_battery_fleet() -> dict[str, Any]:
    rows = [{"Cell ID": "S1/1", "CellVoltage": 2.2}]
    return {"csv": _csv("fleet.csv", rows), "truth_csv": _csv("truth.csv", rows), "rows": 1, "cells": 1}


def preprocess_battery_data_tool() -> dict[str, Any]:
    voltages = [
        ("S1/1", ""),
        ("S1/1", 2.2),
        ("S1/<b>2", 2.21),
        ("S1/<b>2", 2.23),
        ("S1/3", 2.2),
        ("S1/3", 2.1),
    ]
    rows = [{"source_row": i, "Cell ID": c, "CellVoltage": v} for i, (c, v) in enumerate(voltages)]
    folder = HOME / "sdv"
    folder.mkdir(exist_ok=True)
    (folder / "battery.csv").write_text("CellVoltage\n2.2\n")
    (folder / "metadata.json").write_text("{}")
    report = HOME / "quality.json"
    report.write_text('{"sentinel_values": 17, "columns": {"CellVoltage": {"missing": 1}}}')
    paths = {"cleaned_csv": _csv("cleaned.csv", rows), "report_json": str(report), "sdv_folder": str(folder)}
    return paths | {"rows_in": 6, "rows_out": 6, "cells": 3}


def sdv_generate() -> dict[str, Any]:
    return {"tables": {"battery": 1}}


def sdv_evaluate() -> dict[str, Any]:
    return {"overall_score": 0.87, "properties": {"Column Shapes": 0.91, "Column Pair Trends": 0.83}}


def sdv_visualize() -> dict[str, Any]:
    return {"plot_png": _png("sdv.png"), "plot_html": _page("sdv.html")}


def detect_anomalies() -> dict[str, Any]:
    events = [
        {"cell": cell, "start": STAMP, "end": STAMP, "kind": "voltage low", "peak": peak}
        for cell, peak in (("S1/1", 0.2), ("S1/<b>2", -9.5))
    ]
    result = _csv("anomalies.csv", [{"source_row": 0, "anomaly_score": 0.9, "anomaly": 1}])
    return {"result_csv": result, "events_csv": _csv("events.csv", events), "rows": 6, "anomalies": 2}


def visualize_anomalies_3d() -> dict[str, Any]:
    return {"plot_png": _png("3d.png"), "plot_html": _page("3d plot.html")}


def predict_cell_timeseries() -> dict[str, Any]:
    rows = [{"Timestamp": STAMP, "target": "CellVoltage", "mean": 2.2, "lo90": 2.1, "hi90": 2.3}]
    better, worse = {"mase": 0.5, "naive_mase": 1.0}, {"mase": 2.0, "naive_mase": 1.0}
    metrics = {"CellVoltage": better, "CellTemperature": worse}
    crossing = {"words": "P(CellVoltage < 2.13 V within 24 h) = 0.07", "alarm": True}
    files = {"forecast_csv": _csv("forecast.csv", rows), "plot_png": _png("forecast.png")}
    return {**files, "metrics": metrics, "crossings": [crossing]}


def predict_cell_failure() -> dict[str, Any]:
    rows = [
        {"Cell ID": "S1/3", "string": "S1", "risk": 0.1, "rank": 2, "reason_1": "none"},
        {"Cell ID": "S1/1", "string": "S1", "risk": 0.8, "rank": 1, "reason_1": "resistance rose"},
    ]
    return {"risk_csv": _csv("risk.csv", rows), "method": "classifier", "failing_cells": ["S1/1"]}


SERVERS = {
    "load-preprocessdata-mcp": [preprocess_battery_data_tool],
    "data-generator-mcp": [simulate_battery_fleet, sdv_generate, sdv_evaluate, sdv_visualize],
    "feature-one-anamoly-detection-mcp": [detect_anomalies, visualize_anomalies_3d],
    "feature-two-timeseries-prediction-mcp": [predict_cell_timeseries],
    "feature-three-failure-prediction-mcp": [predict_cell_failure],
}
TOOLS = {tool.__name__: tool for tools in SERVERS.values() for tool in tools}


def _log(event: str, tool: str, arguments: dict[str, Any]) -> None:
    line = {"event": event, "tool": tool, "arguments": arguments, "pid": os.getpid(), "env": dict(os.environ)}
    with (HOME / "calls.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


_sending = threading.Lock()


def _send(**message: Any) -> None:
    with _sending:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def _result(status: str, message: str, data: Any = None, log_path: str | None = None) -> dict[str, Any]:
    envelope = {"status": status, "message": message, "data": data, "log_path": log_path}
    content = [{"type": "text", "text": message}]
    return {"content": content, "structuredContent": envelope, "isError": status == "error"}


def _answer(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    fault, _, detail = FAULTS.get(tool, "").partition(":")
    if fault == "crash":
        sys.stderr.write("Killed by the test\n")
        sys.stderr.flush()
        os._exit(3)
    if fault == "hang":
        threading.Event().wait()
    if fault == "meet":
        (HOME / tool).touch()
        while not (HOME / detail).exists():
            time.sleep(0.01)
    if fault == "error":
        return _result("error", "Found 3 rows.\nExpected 24.", log_path=detail)
    if fault == "schema":
        return _result("perhaps", "neither")
    if fault == "raise":
        return {"content": [{"type": "text", "text": f"Error executing tool {tool}"}], "isError": True}
    return _result("success", f"{tool} did it", {} if fault == "bare" else TOOLS[tool]())


def _call(request_id: int, params: dict[str, Any]) -> None:
    tool, arguments = params["name"], params["arguments"]
    _log("begin", tool, arguments)
    half = {"progressToken": params["_meta"]["progressToken"], "progress": 1, "total": 2}
    _send(method="notifications/progress", params={**half, "message": f"half of {tool}"})
    answer = _answer(tool, arguments)
    _log("end", tool, arguments)
    _send(id=request_id, result=answer)


def main(name: str) -> None:
    if FAULTS.get(f"start:{name}") == "crash":
        raise SystemExit("ModuleNotFoundError: No module named 'bms_nothing'")
    listed = [
        {"name": tool.__name__, "inputSchema": {"type": "object"}, "outputSchema": ENVELOPE_SCHEMA}
        for tool in SERVERS[name]
    ]
    for line in sys.stdin:
        request = json.loads(line)
        match request:
            case {"id": request_id, "method": "initialize", "params": params}:
                about = {"serverInfo": {"name": name, "version": "1"}, "capabilities": {"tools": {}}}
                _send(id=request_id, result={"protocolVersion": params["protocolVersion"], **about})
            case {"id": request_id, "method": "tools/list"}:
                _send(id=request_id, result={"tools": listed})
            case {"id": request_id, "method": "tools/call", "params": params}:
                threading.Thread(target=_call, args=(request_id, params), daemon=True).start()
            case {"id": request_id, "method": method}:
                _send(id=request_id, error={"code": METHOD_NOT_FOUND, "message": f"no {method}"})


if __name__ == "__main__":
    main(sys.argv[1])
