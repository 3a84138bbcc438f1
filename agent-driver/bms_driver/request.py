"""What the user asked for, checked before anything is started."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from bms_driver.stages import STAGE_NAMES

# As predict_cell_timeseries takes; how far a history supports a forecast is the server's to say.
MIN_STEPS, MAX_STEPS, DEFAULT_STEPS = 1, 10_000, 24
DEFAULT_TIMEOUT_S = 900.0

_EXAMPLES = """\
examples:
  run_full_pipeline.py                         the whole chain on a simulated fleet
  run_full_pipeline.py log.csv                 the whole chain on your own log
  run_full_pipeline.py log.csv --stages anomaly,forecast --cell-id S1/4 --steps 48
  run_full_pipeline.py log.csv --out results --json > pipeline.json

A stage brings the stages it builds on: preprocess -> generate -> evaluate, visualize;
preprocess -> anomaly -> anomaly_3d; preprocess -> forecast; preprocess -> failure.
Exit code: 0 all went well, 1 a stage failed, 2 bad input, 130 interrupted.
"""


class BadInput(ValueError):
    """The request cannot be carried out as it stands; the text says what to change."""


@dataclass(frozen=True)
class Request:
    """A checked request; `data_path` is absolute and exists, `out` None means a new run folder."""

    data_path: Path | None
    cell_id: str | None
    steps: int
    stages: tuple[str, ...]
    out: Path | None
    as_json: bool
    timeout_s: float


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    p = argparse.ArgumentParser(
        prog="run_full_pipeline.py",
        description="From a battery log to one report: cleaned data, a synthetic twin, anomalies, "
        "a forecast and the cells likely to fail. Without DATA it simulates a fleet first.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    p.add_argument("data", nargs="?", metavar="DATA", help="BMS log: .csv, .csv.gz, .parquet or a folder")
    p.add_argument("--cell-id", metavar="ID", help="cell to forecast (default: the one with most readings)")
    p.add_argument(
        "--steps",
        type=int,
        default=DEFAULT_STEPS,
        metavar="N",
        help=f"steps to forecast, {MIN_STEPS} to {MAX_STEPS:,} (default {DEFAULT_STEPS})",
    )
    p.add_argument(
        "--stages",
        default=",".join(STAGE_NAMES),
        metavar="A,B,C",
        help=f"any of {', '.join(STAGE_NAMES)} (default all)",
    )
    p.add_argument("--out", metavar="DIR", help="new or empty folder for the report (default: in runs/)")
    p.add_argument("--json", action="store_true", help="print only the result, as JSON, on stdout")
    p.add_argument(
        "--timeout",
        type=float,
        default=DEFAULT_TIMEOUT_S,
        metavar="SECONDS",
        help=f"limit for one stage (default {DEFAULT_TIMEOUT_S:g})",
    )
    return p


def read_request(argv: list[str] | None) -> Request:
    """Return the checked request; BadInput says what to change."""
    given = parser().parse_args(argv)
    if not MIN_STEPS <= given.steps <= MAX_STEPS:
        raise BadInput(f"--steps is {given.steps}; give a number from {MIN_STEPS} to {MAX_STEPS:,}")
    if not 0 < given.timeout < float("inf"):
        raise BadInput(f"--timeout is {given.timeout:g}; give a positive number of seconds")
    if given.cell_id is not None and not given.cell_id.strip():
        raise BadInput("--cell-id is empty; give a cell's id as in the column `Cell ID`, or leave it out")
    return Request(
        data_path=_data(given.data),
        cell_id=given.cell_id,
        steps=given.steps,
        stages=_stages(given.stages),
        out=None if given.out is None else _absolute(given.out, "--out"),
        as_json=given.json,
        timeout_s=given.timeout,
    )


def _absolute(text: str, what: str) -> Path:
    if not text.strip() or "\0" in text:
        raise BadInput(f"{what} is {text!r}, which is no path")
    try:
        return Path(text).expanduser().resolve()
    except (OSError, RuntimeError) as error:
        raise BadInput(f"{what} {text}: {error}") from error


def _data(text: str | None) -> Path | None:
    if text is None:
        return None
    path = _absolute(text, "DATA")
    try:
        if path.is_dir():
            next(path.iterdir(), None)
        else:
            with path.open("rb"):
                pass
    except FileNotFoundError as error:
        raise BadInput(f"no such file or folder: {path}") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    return path


def _stages(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in STAGE_NAMES]
    if unknown or not names:
        found = f"unknown stage {', '.join(unknown)}" if unknown else "--stages names no stage"
        raise BadInput(f"{found}; choose from {', '.join(STAGE_NAMES)}")
    return names
