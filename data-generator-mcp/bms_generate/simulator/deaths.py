"""How a cell dies: a severity that grows to 1 at the death, symptoms in proportion, then a collapse."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bms_generate.simulator.allocation import Allocation, Member
from bms_generate.simulator.settings import Settings

# Deaths are spread over the later part of the span, so that each has a past and a few dead samples.
DEATH_SPAN = (0.30, 0.95)
DEAD_SAMPLES_AT_LEAST = 3
# A cell that outlives the span dies within these shares of it afterwards, and is this ill at its end [U].
AFTER_THE_SPAN = (0.01, 0.12)
SEVERITY_AT_THE_END = (0.50, 0.95)


class Course(NamedTuple):
    """How one kind of death runs: warning time and, at the moment of death, the range of each symptom."""

    lead_days: tuple[float, float]
    full_scale_span_days: float
    share_of_life: float
    collapse_h: float
    resistance_rise: tuple[float, float]
    voltage_drop_v: tuple[float, float]
    heat_c: tuple[float, float]
    soc_deficit: tuple[float, float]
    capacity_loss: tuple[float, float]


# +50 % resistance is the usual warranty claim, 80 % capacity the end of life, ≤ 2.07 V on float suspect
# (battery handbooks [B], IEEE 450 practice [U]); the ranges around them and the lead times are [U].
# Leads hold for spans of `full_scale_span_days` or more and shrink in proportion below.
COURSES = {
    "slow": Course(
        (21.0, 60.0), 120.0, 0.85, 6.0, (0.4, 1.4), (0.01, 0.11), (0.3, 4.0), (0.05, 0.25), (0.15, 0.45)
    ),
    "sudden": Course(
        (2.0, 5.0), 30.0, 0.5, 3.0, (0.4, 1.2), (0.04, 0.14), (1.5, 5.0), (0.01, 0.06), (0.1, 0.4)
    ),
    "unheralded": Course((0.0, 0.0), 30.0, 0.0, 0.5, *((0.0, 0.0),) * 5),
}
GROWTH_EXPONENT = (1.0, 1.8)
# A dead cell: shorted plates or a broken strap. Low on float, no capacity, high resistance [U].
DEAD_RESISTANCE_RISE = (3.0, 9.0)
DEAD_VOLTAGE_DROP_V = (0.25, 0.70)
DEAD_HEAT_C = (-0.5, 2.5)
DEAD_SOC_DEFICIT = (0.5, 0.9)
DEAD_CAPACITY_LOSS = (0.6, 0.9)


@dataclass(frozen=True)
class Death:
    """One death: the cell, its kind, the samples of onset and death, and its float fall [V] at death.

    `died` may lie after the last sample; the cell is then dying, and alive throughout.
    """

    cell: int
    kind: str
    onset: int
    died: int
    voltage_drop_v: float


@dataclass(frozen=True)
class Decay:
    """What dying does to the cells, every array of shape (n_samples, cells); all zero for the healthy."""

    resistance_rise: NDArray[np.float64]
    voltage_drop_v: NDArray[np.float64]
    heat_c: NDArray[np.float64]
    soc_deficit: NDArray[np.float64]
    capacity_loss: NDArray[np.float64]
    is_dead: NDArray[np.bool_]


def let_die(
    settings: Settings,
    allocation: Allocation,
    rng: np.random.Generator,
    dying_rng: np.random.Generator,
) -> tuple[list[Death], Decay]:
    """Plan the deaths of one string, in the span and soon after it, and lay their symptoms over time.

    The deaths in the span are drawn of `rng`, the others of `dying_rng`, so that neither moves the other.
    """
    shape = (settings.n_samples, settings.cells_per_string)
    symptoms = np.zeros((5, *shape))
    is_dead = np.zeros(shape, dtype=bool)
    plans = [_one_death(settings, member, rng) for member in allocation.deaths]
    plans += [_one_decline(settings, member, dying_rng) for member in allocation.dying]
    for death, courses in plans:
        symptoms[:, :, death.cell] = courses
        is_dead[death.died :, death.cell] = True
    symptoms[1] *= settings.profile.voltage_scale
    return [death for death, _ in plans], Decay(*symptoms, is_dead=is_dead)


def _one_death(
    settings: Settings, member: Member, rng: np.random.Generator
) -> tuple[Death, NDArray[np.float64]]:
    course = COURSES[member.kind]
    onset, died = _when(settings, member, course, rng)
    at_death = np.array([rng.uniform(*symptom) for symptom in course[4:]])
    when_dead = np.array(
        [
            rng.uniform(*final)
            for final in (
                DEAD_RESISTANCE_RISE,
                DEAD_VOLTAGE_DROP_V,
                DEAD_HEAT_C,
                DEAD_SOC_DEFICIT,
                DEAD_CAPACITY_LOSS,
            )
        ]
    )
    sample = np.arange(settings.n_samples)
    progress = np.clip((sample - onset) / max(died - onset, 1), 0.0, 1.0)
    severity = progress ** rng.uniform(*GROWTH_EXPONENT)
    # The collapse is under way at the first dead sample, and nearly over after three time constants.
    dead_h = np.clip(sample - died + 1, 0, None) * settings.interval_h
    collapse = 1.0 - np.exp(-dead_h / course.collapse_h)
    symptoms = at_death[:, None] * severity * (1.0 - collapse) + when_dead[:, None] * collapse
    drop_v = at_death[1] if died > onset else when_dead[1]
    return Death(
        member.cell, member.kind, onset, died, float(drop_v) * settings.profile.voltage_scale
    ), symptoms


def _when(settings: Settings, member: Member, course: Course, rng: np.random.Generator) -> tuple[int, int]:
    """Samples of onset and death: the death by the fleet's even spread, the lead scaled to short spans."""
    last = settings.n_samples - 1
    place = DEATH_SPAN[0] + (DEATH_SPAN[1] - DEATH_SPAN[0]) * member.spread
    died = min(max(1, round(place * last)), max(1, settings.n_samples - DEAD_SAMPLES_AT_LEAST))
    return max(0, died - _lead(settings, course, died, rng)), died


def _lead(settings: Settings, course: Course, lived: int, rng: np.random.Generator) -> int:
    """Samples of warning: those of the course, scaled to short spans, at most a share of those `lived`."""
    scale = min(1.0, settings.days / course.full_scale_span_days)
    lead_h = min(
        rng.uniform(*course.lead_days) * 24.0 * scale, course.share_of_life * lived * settings.interval_h
    )
    return 0 if lead_h == 0.0 else settings.samples_in(lead_h)


def _one_decline(
    settings: Settings, member: Member, rng: np.random.Generator
) -> tuple[Death, NDArray[np.float64]]:
    """One death soon after the span: the precursor of a death in it, cut off by the last sample."""
    course = COURSES[member.kind]
    exponent = rng.uniform(*GROWTH_EXPONENT)
    at_death = np.array([rng.uniform(*symptom) for symptom in course[4:]])
    last = settings.n_samples - 1
    lead, left = _lead_and_rest(member, _lead(settings, course, last, rng), last, exponent)
    died = last + left
    onset = max(0, died - lead)
    severity = (np.clip(np.arange(settings.n_samples) - onset, 0, None) / (died - onset)) ** exponent
    drop_v = float(at_death[1]) * settings.profile.voltage_scale
    return Death(member.cell, member.kind, onset, died, drop_v), at_death[:, None] * severity


def _lead_and_rest(member: Member, lead: int, last: int, exponent: float) -> tuple[int, int]:
    """Samples from onset to death, and of those the ones after the span: by the fleet's even spread.

    Severity is (passed / lead) ** exponent, so bounds on it at the last sample are bounds on what is left.
    Where they leave nothing of the asked shares of the span (long spans, sudden deaths), severity goes first.
    """
    mildest, gravest = (1.0 - severity ** (1.0 / exponent) for severity in SEVERITY_AT_THE_END)
    bounds = np.clip(np.array(AFTER_THE_SPAN) * last, gravest * lead, mildest * lead)
    left = math.ceil(bounds[0] + member.spread * (bounds[1] - bounds[0]))
    return max(lead, math.ceil(left / mildest)), left
