"""Pieces of HTML pages."""

from html.parser import HTMLParser

from bms_schema.run.page import LONGEST_CELL, bullets, figures, page, paragraph, picture, section, table


class Tags(HTMLParser):
    """Checks that what opens closes, and counts what was opened."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open, self.seen = [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in {"meta", "br", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


HOSTILE = '</td></section><script>alert("1")</script>\n' + "x" * 5000


def test_hostile_texts_stay_texts_wherever_they_are_put():
    parts = [
        section(HOSTILE, paragraph(HOSTILE), paragraph(HOSTILE, soft=True), bullets([HOSTILE])),
        figures({HOSTILE: HOSTILE}),
        table([HOSTILE, "a"], [[HOSTILE, (HOSTILE, "b")]]),
        picture(HOSTILE, b"png", HOSTILE),
    ]
    whole = page(HOSTILE, "<h1>title</h1>", "".join(parts))
    assert "script" not in Tags(whole).seen
    assert len(whole) < 30_000


def test_a_card_without_content_is_none():
    assert section("Notes", paragraph(""), bullets([])) == ""


def test_numbers_stand_right_lines_below_each_other_and_marked_rows_out():
    html = table(
        ["cell", "why", "V"], [["a", ("low", "warm"), "2.1"], ["b", "", "2.2"]], text_columns=2, marked={1}
    )
    assert Tags(html).seen.count("br") == 1
    assert html.count("class=number") == 3 and html.count("<tr class=marked>") == 1
    assert f"{'x' * (LONGEST_CELL - 1)}…</td>" in table(["cell"], [["x" * 500]])


def test_a_picture_tells_in_words_what_it_shows():
    assert 'alt="How it went"' in picture("How it went", b"png")
    assert 'alt="Voltage"' in picture("How it went", b"png", "Voltage")
