"""A verdict in words: the gravest of its reasons decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Answer = Literal["yes", "with care", "no"]
_BY_GRAVITY: tuple[Answer, ...] = ("no", "with care", "yes")


@dataclass(frozen=True)
class Reason:
    """One finding as a sentence with its figures, and the answer that it alone would give.

    Args:
        answer: What it alone would answer.
        text: The sentence.
        measured: Whether it rests on figures; False says that there is too little to measure.
    """

    answer: Answer
    text: str
    measured: bool = True


@dataclass(frozen=True)
class Verdict:
    """The answer to one question.

    Args:
        answer: That of the gravest reason.
        reasons: Gravest first; among equals what was measured before what could not be.
    """

    answer: Answer
    reasons: list[Reason]


def decide(reasons: Sequence[Reason]) -> Verdict:
    """Return the verdict of at least one reason.

    >>> decide([Reason("yes", "No copies."), Reason("with care", "Real names.")]).answer
    'with care'
    """
    ranked = sorted(reasons, key=lambda reason: (_BY_GRAVITY.index(reason.answer), not reason.measured))
    return Verdict(ranked[0].answer, ranked)


def grade(value: float, most_for_yes: float, most_for_care: float) -> Answer:
    """Return `yes` up to the first limit, `with care` up to the second, `no` beyond and for NaN.

    >>> grade(0.1, 0.1, 0.3), grade(0.2, 0.1, 0.3), grade(float("nan"), 0.1, 0.3)
    ('yes', 'with care', 'no')
    """
    if value <= most_for_yes:
        return "yes"
    return "with care" if value <= most_for_care else "no"


def percent(share: float) -> str:
    """Return a share for a sentence.

    >>> percent(0.034), percent(0.0004), percent(0.0)
    ('3.4 %', '0.04 %', '0 %')
    """
    if share == 0 or share == 1:
        return f"{share:.0%}".replace("%", " %")
    return f"{100 * share:.1f} %" if share >= 0.001 else f"{100 * share:.2g} %"
