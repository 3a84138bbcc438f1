"""A text table's bytes as blocks of whole lines in UTF-8, whatever the file's encoding and line ends."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from bms_schema.data.table_files import FIX
from bms_schema.run.errors import UnreadableTable

_LONGEST_LINE = 16 * 1024**2
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass
class TextFindings:
    """What one pass over a file met, as {what: [how often, where first]}; a later pass starts afresh."""

    counts: dict[str, list[int]] = field(default_factory=dict)
    cut_off: str = ""

    def add(self, what: str, where: int, times: int = 1) -> None:
        """Count something met in a line or row."""
        self.counts.setdefault(what, [0, where])[0] += times

    @property
    def notes(self) -> list[str]:
        """The findings in words."""
        said = [
            what.format(count=f"{count:,}", first=f"{first:,}")
            for what, (count, first) in self.counts.items()
        ]
        return said + ([self.cut_off] if self.cut_off else [])


def text_blocks(stream: IO[bytes], size: int, path: Path, findings: TextFindings) -> Iterator[bytes]:
    r"""Yield blocks of whole lines, ended by `\n` each but the last; about `size` bytes or one line each.

    A line that is no UTF-8 is read as Windows-1252 and counted in the findings.

    Raises:
        UnreadableTable: binary data, or a line beyond 16 MiB.
    """
    head = stream.read(size)
    utf16 = codecs.getincrementaldecoder("utf-16")() if head.startswith(_UTF16_BOMS) else None
    raw = head.removeprefix(codecs.BOM_UTF8)
    pending, line = b"", 1
    while head:
        text = utf16.decode(raw).encode() if utf16 else raw
        if b"\0" in text:
            at = line + (pending + text[: text.index(0)]).count(b"\n")
            raise UnreadableTable(
                f"'{path.name}' holds binary data (a NUL byte in line {at:,}).",
                expected="text",
                fix=FIX,
            )
        pending += text
        lines, pending = _whole_lines(pending)
        if lines:
            yield _as_utf8(lines, line, findings)
            line += lines.count(b"\n")
        if len(pending) > _LONGEST_LINE:
            raise UnreadableTable(
                f"'{path.name}': line {line:,} does not end within 16 MiB.",
                expected="lines of a table",
                fix=FIX,
            )
        head = raw = stream.read(size)
    if utf16:
        utf16.decode(b"", final=True)
    if pending:
        yield _as_utf8(pending.replace(b"\r", b"\n"), line, findings)


def _whole_lines(text: bytes) -> tuple[bytes, bytes]:
    r"""Cut behind the last line end and write every line end as `\n`; a `\r` at the end may be half a one."""
    if b"\r" in text:
        held = text.endswith(b"\r")
        text = text.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n") + (
            b"\r" if held else b""
        )
    cut = text.rfind(b"\n") + 1
    return text[:cut], text[cut:]


def _as_utf8(block: bytes, line: int, findings: TextFindings) -> bytes:
    """Return the block as UTF-8, judging every line by itself so that blocks do not matter."""
    if block.isascii():
        return block
    try:
        block.decode()
    except UnicodeDecodeError:
        return b"\n".join(
            part if part.isascii() else _line_as_utf8(part, line + at, findings)
            for at, part in enumerate(block.split(b"\n"))
        )
    return block


def _line_as_utf8(part: bytes, line: int, findings: TextFindings) -> bytes:
    try:
        part.decode()
    except UnicodeDecodeError:
        findings.add("{count} line(s) not UTF-8; read as Windows-1252 (first: line {first})", line)
        return part.decode("cp1252", errors="replace").encode()
    return part
