"""Where a table lies: kinds of file, the tables of a folder, and a stream of bytes out of plain, gzip or zip."""

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast
from urllib.parse import unquote

from bms_schema.run.errors import NotEnoughData, UnreadableTable

_TEXT = (".csv", ".tsv", ".txt", ".log")
_LOOSE = (".txt", ".log")  # as often a readme as a table
_PACKED = (".gz", ".zip")
SUFFIXES = (*(f"{kind}{packed}" for kind in _TEXT for packed in ("", *_PACKED)), ".zip", ".parquet")
FIX = "Export it again as a CSV with one header line, or convert it to Parquet."
# Text logs shrink about this much under gzip [U]; the size gzip itself notes wraps at 4 GiB.
_LEAST_GZIP_RATIO = 4


def is_table(path: Path) -> bool:
    """Whether the file's name ends like a table we read."""
    return path.name.lower().endswith(SUFFIXES)


def is_parquet(path: Path) -> bool:
    """Whether the file's name says Parquet."""
    return path.suffix.lower() == ".parquet"


def tables_at(path: Path) -> tuple[list[Path], list[str]]:
    """List the table files behind a path, `part2` before `part10`, and say what was left out.

    A folder gives its own tables, with the parts of `x.parquet/` folders in it. Without any, the Parquet parts
    one level down are taken (`string=A/part.0.parquet`).

    Raises:
        UnreadableTable: not a kind of table read here, or a folder without one.
    """
    if path.is_dir():
        return _tables_of(path)
    if not is_table(path):
        raise UnreadableTable(f"'{path.name}' is no kind of table read here.", expected=_kinds(), fix=FIX)
    if path.stat().st_size == 0:
        raise NotEnoughData(
            f"'{path.name}' is empty.", expected="a header line and rows", fix="Check the export."
        )
    return [path], []


def partition_values(file: Path, below: Path) -> dict[str, str]:
    """Return the columns that folder names between `below` and the file hold, as in `string=A/`."""
    parts = file.relative_to(below).parts[:-1] if below.is_dir() else ()
    return {
        key: unquote(value) for key, mark, value in (part.partition("=") for part in parts) if mark and key
    }


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a text table's uncompressed bytes, never unpacking to disk.

    Raises:
        UnreadableTable: a zip with anything but one table inside.
    """
    suffix = path.suffix.lower()
    if suffix == ".gz":
        with gzip.open(path, "rb") as stream:
            yield cast(IO[bytes], stream)
    elif suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_only_table(archive, path)) as stream:
            yield stream
    else:
        with path.open("rb") as stream:
            yield stream


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Turn what a damaged file raises into an error that says so."""
    try:
        yield
    except EOFError as error:
        raise UnreadableTable(
            f"'{path.name}' breaks off after {path.stat().st_size:,} packed bytes.",
            expected="a whole file",
            fix="Copy it again.",
        ) from error
    except zipfile.BadZipFile as error:
        raise UnreadableTable(
            f"'{path.name}' is no whole zip: {error}.", expected="an undamaged file", fix="Copy it again."
        ) from error
    except (OSError, UnicodeError, zlib.error, NotImplementedError) as error:
        raise UnreadableTable(
            f"'{path.name}' cannot be read: {error}.", expected="an undamaged file", fix=FIX
        ) from error


def text_bytes(path: Path) -> int:
    """Return about how many bytes the text is, uncompressed, without reading it."""
    packed = path.stat().st_size
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            return _only_table(archive, path).file_size
    if path.suffix.lower() == ".gz":
        with path.open("rb") as stream:
            stream.seek(-min(4, packed), 2)
            return (
                max(int.from_bytes(stream.read(4), "little"), _LEAST_GZIP_RATIO * packed)
                if packed > 18
                else packed
            )
    return packed


def _kinds() -> str:
    return "a folder, .parquet, or " + ", ".join(_TEXT) + " plain, as .gz or as .zip"


def _tables_of(folder: Path) -> tuple[list[Path], list[str]]:
    entries = sorted((item for item in folder.iterdir() if item.name[0] not in "._"), key=_natural)
    found = [part for item in entries if is_table(item) for part in _parts(item)]
    if not found:
        found = [part for item in entries if item.is_dir() and not item.is_symlink() for part in _parts(item)]
    firm = [item for item in found if not _is_loose(item)]
    loose = [item for item in found if _is_loose(item)]
    if not found:
        raise UnreadableTable(f"The folder '{folder}' holds no table.", expected=_kinds(), fix=FIX)
    empty = [item.name for item in found if item.stat().st_size == 0]
    if empty:
        raise NotEnoughData(
            f"{', '.join(empty[:5])} in '{folder}' is empty.",
            expected="tables with rows",
            fix="Remove or mend it.",
        )
    if firm and loose:
        names = ", ".join(item.name for item in loose[:5]) + (", …" if len(loose) > 5 else "")
        return firm, [f"left out beside the tables: {names}"]
    return found, []


def _parts(item: Path) -> list[Path]:
    """A file itself; of a folder its Parquet parts, also one level further down."""
    if item.is_file():
        return [item]
    inside = [*item.glob("*.parquet"), *item.glob("*/*.parquet")]
    plain = [
        part for part in inside if part.is_file() and not part.is_symlink() and not part.parent.is_symlink()
    ]
    return sorted((part for part in plain if part.name[0] not in "._"), key=_natural)


def _is_loose(path: Path) -> bool:
    name = path.name.lower()
    return name.endswith(tuple(f"{kind}{packed}" for kind in _LOOSE for packed in ("", *_PACKED)))


def _natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Sort key in which `part2` comes before `part10`."""
    pieces = re.split(r"(\d+)", str(path).lower())
    return [(int(piece), "") if piece.isdecimal() else (0, piece) for piece in pieces], str(path)


def _only_table(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = [
        item
        for item in archive.infolist()
        if not item.is_dir()
        and not item.filename.startswith("__MACOSX/")
        and item.filename.rsplit("/")[-1][0] != "."
    ]
    tables = [item for item in members if item.filename.lower().endswith(_TEXT)]
    if len(tables) > 1:  # a readme beside the table
        tables = [item for item in tables if not item.filename.lower().endswith(_LOOSE)] or tables
    if len(tables) != 1:
        inside = ", ".join(item.filename for item in members[:5]) or "nothing"
        raise UnreadableTable(
            f"'{path.name}' holds {len(tables)} tables ({inside}).",
            expected="one .csv, .tsv, .txt or .log inside",
            fix="Unpack it and pass the file or the folder.",
        )
    if tables[0].flag_bits & 1:
        raise UnreadableTable(
            f"'{path.name}' is encrypted.", expected="a zip without password", fix="Unpack it."
        )
    return tables[0]
