"""The quality page is well-formed, stands alone, escapes what the file says, and stays of readable length."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from bms_preprocess.plots import draw_pictures
from bms_preprocess.quality_page import quality_page
from bms_schema.run.plot_theme import save_png

from tests.preprocess.examined import examined, small

VOID = {"meta", "img"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


class Outline(HTMLParser):
    """Checks that every element is closed in order, and keeps what could load or run something."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.counts: dict[str, int] = {}
        self.attributes: list[tuple[str, str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(page: str) -> Outline:
    parsed = Outline()
    parsed.feed(page)
    parsed.close()
    assert parsed.open == []
    return parsed


def page_of(raw: pd.DataFrame, folder: Path, source: str = "x.csv") -> str:
    seen, report = examined(raw)
    pictures = [
        (picture.caption, save_png(picture.figure, folder / f"{picture.name}.png"))
        for picture in draw_pictures(seen, report)
    ]
    return quality_page(report, source, pictures)


def test_the_page_is_well_formed_and_stands_alone(fleet: pd.DataFrame, tmp_path: Path) -> None:
    page = page_of(fleet, tmp_path)
    parsed = outline(page)
    for words in ("What to look at", "What came in", "What was wrong", "What was done", "Pictures"):
        assert f"<h2>{words}</h2>" in page
    loading = [value or "" for _, name, value in parsed.attributes if name in ("src", "href", "srcset")]
    assert loading and all(value.startswith("data:image/png;base64,") for value in loading)
    assert "url(" not in page and "@import" not in page
    assert {"script", "link", "iframe", "object"}.isdisjoint(parsed.counts)


def test_the_page_escapes_what_the_file_says(tmp_path: Path) -> None:
    raw = small(CellVoltage={0: 65.535, 4: None}).assign(string=HOSTILE)
    raw["Cell ID"] = HOSTILE + raw["Cell ID"]
    page = page_of(raw, tmp_path, source=HOSTILE)
    parsed = outline(page)
    assert "script" not in parsed.counts
    assert not any(name.startswith("on") for _, name, _ in parsed.attributes)
    assert "&lt;script&gt;" in page


def test_a_correction_stands_under_what_was_done_with_its_evidence(tmp_path: Path) -> None:
    raw = small(n_hours=60).assign()
    raw["CellVoltage"] = (raw["CellVoltage"].astype(float) * 1000).round()
    page = page_of(raw, tmp_path)
    done = page[page.index("What was done") : page.index("<h2>Pictures")]
    assert "written in mV" in done
    assert page.count("is written in mV") == 1


@pytest.mark.parametrize("cells", [1, 300])
def test_the_page_stays_short_with_many_cells_and_long_names(cells: int, tmp_path: Path) -> None:
    raw = small(n_hours=3, n_cells=cells)
    raw["Cell ID"] = "Zelle №\u202e\n" + "ü" * 400 + raw["Cell ID"]
    raw.loc[raw.index % 3 == 0, "CellTemperature"] = None
    words = re.sub(r"data:image/png;base64,[^\"]+", "", page_of(raw, tmp_path))
    outline(words)
    assert len(words) < 40_000
    assert "ü" * 200 not in words and "\u202e" not in words


def test_notes_without_end_are_cut(tmp_path: Path) -> None:
    _, report = examined(small())
    page = quality_page({**report, "notes": [f"note {at} " + "x" * 5000 for at in range(100)]}, "x.csv", [])
    outline(page)
    assert "and 88 more in report.json" in page
    assert len(page) < 40_000
