"""The stages: which tool each one calls, what it waits for, and what it passes on."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bms_driver.cells import choose_cell

SIMULATE = "simulate"

# The demo fleet: 96 cells over a month, hourly, small enough for minutes on two cores.
# A few cells are dying when it ends, so that "which will die soon?" has an answer.
DEMO_FLEET = {
    "n_strings": 4,
    "cells_per_string": 24,
    "days": 30,
    "interval_minutes": 60,
    "seed": 7,
    "dying_fraction": 0.05,
}

# The one table and signal that every preprocessed file has.
SDV_TABLE, SDV_COLUMN = "battery", "CellVoltage"


class StageInputError(ValueError):
    """A stage cannot start because what it needs is not there; the text says what."""


@dataclass(frozen=True)
class Work:
    """What the user asked for and what the finished stages returned: {stage: its `data`}."""

    data_path: Path | None
    out: Path
    steps: int
    cell_id: str | None = None
    done: dict[str, dict[str, Any]] = field(default_factory=dict)

    def path_from(self, stage: str, key: str) -> str:
        """Return the path that `stage` gave under `key`; StageInputError when it gave none."""
        value = self.done.get(stage, {}).get(key)
        if not isinstance(value, str) or not value:
            raise StageInputError(f'{stage} returned no "{key}", which this stage needs')
        return value


@dataclass(frozen=True)
class Call:
    """Arguments of one tool call and a remark on how they were chosen."""

    arguments: dict[str, Any]
    remark: str = ""


@dataclass(frozen=True)
class Stage:
    """One tool call in the chain; `build` may read and copy files, so it runs in a thread."""

    name: str
    server: str
    tool: str
    needs: tuple[str, ...]
    build: Callable[[Work], Call]


def _simulate(work: Work) -> Call:
    return Call(dict(DEMO_FLEET), "(No data file was given, so a simulated fleet is used.)")


def _preprocess(work: Work) -> Call:
    path = work.data_path or work.path_from(SIMULATE, "csv")
    return Call({"data_path": str(path)})


def _generate(work: Work) -> Call:
    source = Path(work.path_from("preprocess", "sdv_folder"))
    # A copy: SDV writes synthetic_data/ into its folder, and a finished run stays as it is.
    copy = work.out / "sdv_dataset"
    try:
        shutil.copytree(source, copy)
    except (OSError, shutil.Error) as error:
        raise StageInputError(f"cannot copy the SDV folder {source} to {copy}: {error}") from error
    return Call({"folder_name": str(copy)})


def _on_sdv_copy(work: Work) -> dict[str, Any]:
    return {"folder_name": str(work.out / "sdv_dataset")}


def _evaluate(work: Work) -> Call:
    return Call(_on_sdv_copy(work))


def _visualize(work: Work) -> Call:
    return Call({**_on_sdv_copy(work), "table_name": SDV_TABLE, "column_name": SDV_COLUMN})


def _anomaly(work: Work) -> Call:
    return Call({"data_path": work.path_from("preprocess", "cleaned_csv")})


def _anomaly_3d(work: Work) -> Call:
    return Call({"result_csv": work.path_from("anomaly", "result_csv")})


def _forecast(work: Work) -> Call:
    cleaned = work.path_from("preprocess", "cleaned_csv")
    cell_id, remark = work.cell_id, "(Cell chosen by the user.)"
    if cell_id is None:
        try:
            choice = choose_cell(Path(cleaned))
        except (OSError, ValueError) as error:
            raise StageInputError(str(error)) from error
        cell_id, remark = choice.cell_id, f"({choice.why})"
    return Call({"data_path": cleaned, "cell_id": cell_id, "steps": work.steps}, remark)


def _failure(work: Work) -> Call:
    return Call({"data_path": work.path_from("preprocess", "cleaned_csv")})


_GENERATOR = "data-generator-mcp"
_ANOMALY = "feature-one-anamoly-detection-mcp"

STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(SIMULATE, _GENERATOR, "simulate_battery_fleet", (), _simulate),
        Stage(
            "preprocess", "load-preprocessdata-mcp", "preprocess_battery_data_tool", (SIMULATE,), _preprocess
        ),
        Stage("generate", _GENERATOR, "sdv_generate", ("preprocess",), _generate),
        Stage("evaluate", _GENERATOR, "sdv_evaluate", ("generate",), _evaluate),
        Stage("visualize", _GENERATOR, "sdv_visualize", ("generate",), _visualize),
        Stage("anomaly", _ANOMALY, "detect_anomalies", ("preprocess",), _anomaly),
        Stage("anomaly_3d", _ANOMALY, "visualize_anomalies_3d", ("anomaly",), _anomaly_3d),
        Stage(
            "forecast",
            "feature-two-timeseries-prediction-mcp",
            "predict_cell_timeseries",
            ("preprocess",),
            _forecast,
        ),
        Stage(
            "failure",
            "feature-three-failure-prediction-mcp",
            "predict_cell_failure",
            ("preprocess",),
            _failure,
        ),
    )
}

STAGE_NAMES = tuple(name for name in STAGES if name != SIMULATE)


def with_prerequisites(asked: Iterable[str], *, simulate: bool) -> tuple[str, ...]:
    """Return the asked stages and everything they wait for, in running order.

    >>> with_prerequisites(["anomaly_3d"], simulate=False)
    ('preprocess', 'anomaly', 'anomaly_3d')
    """
    wanted = set(asked)
    for name in reversed(STAGES):
        if name in wanted:
            wanted.update(STAGES[name].needs)
    return tuple(name for name in STAGES if name in wanted and (simulate or name != SIMULATE))


def servers_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return the servers that these stages need, each once, the first needed first.

    >>> servers_of(["preprocess", "generate", "evaluate"])
    ('load-preprocessdata-mcp', 'data-generator-mcp')
    """
    return tuple(dict.fromkeys(STAGES[name].server for name in names))
