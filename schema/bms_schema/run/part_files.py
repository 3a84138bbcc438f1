"""One part of a table on disk, written block by block under a name of its own and renamed when complete.

A worker that dies halfway leaves nothing behind that could be read, and the one that does the work again writes
the same.
"""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from bms_schema.run.tables import csv_text, dictionary_columns, disk_problem

SCRATCH = "scratch"


@contextmanager
def scratch_folder(folder: Path, *inside: str) -> Iterator[Path]:
    """Yield a folder below `folder` for everything that is not a result, gone again afterwards.

    It is renamed first: a task that a cluster elsewhere is still at finds no folder to write into.

    Args:
        folder: Of the run.
        inside: Folders to make in it.
    """
    scratch = folder / SCRATCH
    try:
        for name in inside:
            (scratch / name).mkdir(parents=True, exist_ok=True)
        yield scratch
    finally:
        left = scratch.rename(folder / f"{SCRATCH}-left")
        shutil.rmtree(left, ignore_errors=True)


def append_file(part: Path, target: Path) -> None:
    """Append the bytes of a part to a file, which is made if it is not there.

    Raises:
        MachineProblem: the disk refuses.
    """
    try:
        with part.open("rb") as source, target.open("ab") as stream:
            shutil.copyfileobj(source, stream, length=2**22)
    except OSError as error:
        raise disk_problem(target, error) from error


class PartFile:
    """A CSV part or a Parquet part (a row group per block), as the suffix says.

    Args:
        path: Where the complete part shall be; its folder must be there, since a run that was given up removes it.
        header: Whether a CSV part begins with the names.
        fractions: Whether CSV time stamps show fractions of a second.
    """

    def __init__(self, path: Path, *, header: bool = True, fractions: bool = False) -> None:
        self._path, self._header, self._fractions = path, header, fractions
        self._draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        self._sink: Any = None

    def write(self, block: Any) -> None:
        """Append a pyarrow table; all blocks have the same schema.

        Raises:
            MachineProblem: the disk refuses.
        """
        try:
            if self._path.suffix == ".csv":
                self._sink = self._sink or self._draft.open("wb")
                self._append_text(self._sink, block)
            else:
                self._sink = self._sink or self._parquet(block.schema)
                self._sink.write_table(block, row_group_size=max(1, block.num_rows))
        except OSError as error:
            raise disk_problem(self._path, error) from error

    def _append_text(self, stream: IO[bytes], block: Any) -> None:
        for text in csv_text(block, header=self._header, fractions=self._fractions, threads=1):
            stream.write(text)
        self._header = False

    def _parquet(self, schema: Any) -> Any:
        import pyarrow.parquet

        return pyarrow.parquet.ParquetWriter(self._draft, schema, use_dictionary=dictionary_columns(schema))

    def __enter__(self) -> "PartFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._sink is not None:
                self._sink.close()
            if error is None:
                self._draft.replace(self._path)
        except OSError as problem:
            if error is None:
                raise disk_problem(self._path, problem) from problem
        finally:
            self._draft.unlink(missing_ok=True)
