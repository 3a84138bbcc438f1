"""Runs a command and tells its wall time, CPU time and peak memory, all processes below it included."""

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_S = 0.2


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Args:
        wall_s: Wall time.
        cpu_s: User and system time of all its processes.
        peak_bytes: Largest sum of their resident memory; pages that they share count once for each.
        output: What it printed.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    output: str


def installed_environment(folder: Path) -> dict[str, str]:
    """Return this process's environment with compiled bytecode kept, as an installed package has it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return environment | {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def run_measured(command: Sequence[str], environment: dict[str, str], log: Path) -> Cost:
    """Run the command to its end; its stderr goes to the log."""
    started = time.perf_counter()
    cpu: dict[int, float] = {}
    peak = 0
    with log.open("a", encoding="utf-8") as stream:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=stream, text=True)
        root = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, _look(root, cpu))
            time.sleep(SAMPLE_S)
    assert process.stdout is not None
    output = process.stdout.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed: see {log}")
    return Cost(time.perf_counter() - started, sum(cpu.values()), peak, output)


def _look(root: psutil.Process, cpu: dict[int, float]) -> int:
    """Note each process's CPU time so far and return the memory of all."""
    memory = 0
    try:
        tree = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in tree:
        try:
            times = process.cpu_times()
            cpu[process.pid] = times.user + times.system
            memory += process.memory_info().rss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return memory
