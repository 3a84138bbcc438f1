"""A verdict on the evaluation's page: the question, the answer in one word, the reasons, each in its colour."""

from bms_schema.run.page import paragraph, said

from bms_generate.verdict import Verdict

STYLE = """
.verdicts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 18px; }
.verdicts section { margin: 0; border-left: 6px solid var(--mark); }
.yes { --mark: var(--good); } .care { --mark: var(--care); } .no { --mark: var(--bad); }
.answer { color: var(--mark); font-size: 24px; font-weight: 700; margin: 0 0 8px; }
.verdicts ul { list-style: none; padding-left: 0; margin: 0; }
.verdicts li { border-left: 3px solid var(--mark); padding-left: 10px; margin: 0 0 10px; overflow-wrap: anywhere; }
li b { display: block; font-size: 12px; color: var(--mark); }
"""
_CLASSES = {"yes": "yes", "with care": "care", "no": "no"}


def verdict_card(question: str, verdict: Verdict, note: str = "") -> str:
    """Return the answer to a question with its reasons, the gravest first."""
    reasons = "".join(
        f"<li class={_CLASSES[reason.answer]}><b>{said(reason.answer)}</b>{said(reason.text)}</li>"
        for reason in verdict.reasons
    )
    return (
        f"<section class={_CLASSES[verdict.answer]}><h2>{said(question)}</h2>"
        f"<p class=answer>{said(verdict.answer.capitalize())}</p><ul>{reasons}</ul>"
        f"{paragraph(note, soft=True)}</section>"
    )
