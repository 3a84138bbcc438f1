"""The Dask engine without Dask: what the workers do, done one after another in this process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bms_preprocess import engine
from bms_preprocess.summary import Summary
from bms_schema.data.columns import PREPROCESS_REQUIRED
from bms_schema.data.intake import take_in


def run_in_process(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Summary:
    """Run the engine on a file into a folder."""

    @contextmanager
    def nobody(scratch: Path, budget: int) -> Iterator[None]:
        yield None

    def one_by_one(client: None, work: Callable, items: Sequence, *_: Any) -> Iterator[tuple[Any, Any]]:
        for item in items:
            yield item, work(item)

    monkeypatch.setattr(engine, "workers", nobody)
    monkeypatch.setattr(engine, "require_shared_files", lambda client, file: None)
    monkeypatch.setattr(engine, "each_done", one_by_one)
    intake = take_in(
        path,
        require=PREPROCESS_REQUIRED,
        chunksize=1_000,
        chemistry="auto",
        most_rows=0,
        told=lambda rows: None,
    )
    folder.mkdir()
    settings = {"output_format": "parquet", "budget": 2**30, **options}
    return engine.run_on_workers(
        intake, lambda facts: None, folder=folder, tell=lambda text: None, **settings
    )
