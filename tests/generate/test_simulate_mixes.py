"""Shares of deaths and faults asked for kind by kind."""

import pandas as pd
import pytest
from bms_generate.simulate import simulate_fleet
from bms_generate.simulator.mixes import DEATH_PATTERN, FAULT_PATTERN, SENSOR_FAULTS, make_mix


def fates(**arguments) -> pd.Series:
    return simulate_fleet(cells_per_string=20, days=3, **arguments).cells["fate"].value_counts()


@pytest.mark.parametrize("seed", range(5))
def test_each_kind_of_death_has_the_asked_share(seed: int):
    asked = {"slow": 0.05, "sudden": 0.15, "unheralded": 0.10}
    found = fates(n_strings=10, seed=seed, death_fraction=asked, fault_fraction=0.0)
    for kind, share in asked.items():
        assert abs(found[f"death_{kind}"] - 200 * share) <= 2


@pytest.mark.parametrize("seed", range(5))
def test_faults_of_sensors_and_of_cells_have_rates_of_their_own(seed: int):
    asked = {"sensor": 0.25, "thermal": 0.05}
    found = fates(n_strings=10, seed=seed, death_fraction=0.0, fault_fraction=asked)
    for kind in SENSOR_FAULTS:
        assert abs(found[kind] - 10) <= 3
    assert abs(found["thermal"] - 10) <= 2
    assert set(found.index) == {*FAULT_PATTERN, "healthy"}


def test_a_group_and_one_of_its_kinds_add_up():
    assert make_mix("f", {"sensor": 0.05, "drift": 0.02}, FAULT_PATTERN).shares[0] == (
        "drift",
        pytest.approx(3 / 7),
    )


def test_only_the_named_kinds_occur_also_among_the_dying():
    fleet = simulate_fleet(
        n_strings=6,
        days=10,
        death_fraction={"unheralded": 0.1},
        dying_fraction={"sudden": 0.1},
        fault_fraction={"stuck": 0.2},
    )
    assert set(fleet.truth["kind"]) == {"death_unheralded", "death_sudden", "stuck"}
    late = fleet.truth["death"] > fleet.readings["Timestamp"].max()
    assert set(fleet.truth.loc[late, "kind"]) == {"death_sudden"}
    assert set(fleet.truth.loc[fleet.truth["death"].notna() & ~late, "kind"]) == {"death_unheralded"}


def test_shares_of_nothing_are_no_deaths():
    assert set(fates(n_strings=2, death_fraction={}, fault_fraction={"drift": 0.0}).index) == {"healthy"}


def test_a_share_per_kind_and_its_sum_choose_the_same_cells():
    by_kind = simulate_fleet(days=5, death_fraction={"slow": 0.1, "sudden": 0.1}, fault_fraction=0.0)
    in_turn = simulate_fleet(days=5, death_fraction=0.2, fault_fraction=0.0)
    assert set(by_kind.truth["Cell ID"]) == set(in_turn.truth["Cell ID"])


@pytest.mark.parametrize("offset", [0.0, 0.3, 0.99])
def test_any_run_of_chosen_cells_has_about_the_asked_shares(offset: float):
    mix = make_mix("death_fraction", {"slow": 0.6, "sudden": 0.3, "unheralded": 0.1}, DEATH_PATTERN)
    kinds = pd.Series([mix.kind_of(j, offset) for j in range(1000)])
    for first in (0, 137, 700):
        found = kinds[first : first + 100].value_counts()
        assert abs(found["slow"] - 60) <= 1 and abs(found["sudden"] - 30) <= 2
        assert abs(found["unheralded"] - 10) <= 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"death_fraction": {"slow": 0.7, "sudden": 0.4}}, "add up to 1.1; expected at most 1"),
        ({"death_fraction": {"drift": 0.1}}, "'drift'; expected some of slow, sudden, unheralded"),
        ({"dying_fraction": {"unheralded": 0.1}}, "'unheralded'; expected some of slow, sudden"),
        ({"fault_fraction": {"rust": 0.1}}, "'rust'; expected some of drift, .*, sensor"),
        ({"fault_fraction": {"sensor": -0.1}}, r"\['sensor'\] is -0.1; expected a fraction"),
        ({"death_fraction": {"slow": "x"}}, r"\['slow'\] is 'x'; expected a fraction"),
        ({"death_fraction": {"slow": 0.8}, "dying_fraction": {"slow": 0.3}}, "add up to more than 1"),
        ({"duty": "idle"}, "'idle'; expected one of standby, solar, ups_test"),
    ],
)
def test_a_mix_that_cannot_be_is_refused_with_what_was_expected(arguments: dict, told: str):
    with pytest.raises(ValueError, match=told):
        simulate_fleet(**arguments)
