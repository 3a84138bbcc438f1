"""Related tables made by trees: keys that lead somewhere, as many children, and children like their parents."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.dataset import read_dataset
from bms_generate.normal_scores import to_normal_scores
from bms_generate.parent_child import Link, ParentChildTrees, RelatedTable
from bms_generate.synthesize import synthesize

from tests.generate.sdv_folders import CATEGORICAL, NUMERICAL, write_folder

CELLS_READINGS = Link("cells", "readings", "cell")
ID = {"sdtype": "id"}


def cells(count=200):
    """Cells with a capacity and a maker, numbered with gaps; a quarter of them has no readings."""
    random = np.random.default_rng(0)
    numbers = np.arange(count) * 7 + 5
    readings = np.where(np.arange(count) % 4 == 0, 0, random.integers(1, 12, count))
    frame = pd.DataFrame(
        {"cell": numbers, "capacity": random.normal(size=count), "maker": random.choice(["A", "B"], count)}
    )
    return frame, readings


def related(depth=2):
    """Cells, their readings, whose numbers follow the capacity, and alarms of the readings, for three levels."""
    random = np.random.default_rng(1)
    frame, counts = cells()
    readings = frame.loc[frame.index.repeat(counts), ["cell"]].reset_index(drop=True)
    capacity = frame["capacity"].repeat(counts).to_numpy()
    readings.insert(0, "reading", [f"R{k}" for k in range(len(readings))])
    readings["voltage"] = 2 * capacity + random.normal(size=len(readings))
    readings["state"] = np.where(readings["voltage"] > 1, "high", "low")
    tables = {
        "cells": modelled(frame, ["capacity"], ["cell"]),
        "readings": modelled(readings, ["voltage"], ["reading"], [CELLS_READINGS]),
    }
    if depth == 3:
        alarms = pd.DataFrame({"reading": readings["reading"].repeat(2)}).reset_index(drop=True)
        alarms["level"] = readings["voltage"].repeat(2).to_numpy() + random.normal(0, 0.3, len(alarms))
        tables["alarms"] = modelled(alarms, ["level"], [], [Link("readings", "alarms", "reading")])
    return tables


def modelled(frame, numbers=(), unique=(), links=()):
    scores = {name: to_normal_scores(frame[name])[0] for name in numbers}
    return RelatedTable(frame.assign(**scores), list(numbers), list(unique), list(links))


def drawn(tables, scale=1.0, seed=1):
    return ParentChildTrees(tables, lambda _: 50_000).fit().sample(scale, np.random.default_rng(seed))


def counts_of(parents, children, key="cell"):
    return parents[key].map(children[key].value_counts()).fillna(0).to_numpy()


def test_every_foreign_key_names_a_synthetic_row_over_three_levels():
    made = drawn(related(depth=3))
    assert set(made["readings"]["cell"]) <= set(made["cells"]["cell"])
    assert set(made["alarms"]["reading"]) <= set(made["readings"]["reading"])
    for table, key in (("cells", "cell"), ("readings", "reading")):
        assert made[table][key].is_unique
    assert {name: list(frame) for name, frame in made.items()} == {
        name: list(table.frame) for name, table in related(depth=3).items()
    }


def test_parents_have_as_many_children_as_real_ones_and_some_have_none():
    real, made = related(), drawn(related(), scale=5.0)
    want = counts_of(real["cells"].frame, real["readings"].frame)
    have = counts_of(made["cells"], made["readings"])
    assert (have == 0).mean() == pytest.approx(0.25, abs=0.05)
    assert have.mean() == pytest.approx(want.mean(), rel=0.1)
    assert have.std() == pytest.approx(want.std(), rel=0.1)
    assert have.max() == want.max()


def test_the_number_of_children_follows_the_parent_s_columns():
    frame, _ = cells()
    busy = frame.loc[frame.index.repeat(np.where(frame["maker"] == "A", 9, 2)), ["cell"]]
    tables = {
        "cells": modelled(frame, ["capacity"], ["cell"]),
        "readings": modelled(busy.reset_index(drop=True), [], [], [CELLS_READINGS]),
    }
    made = drawn(tables)
    children = pd.Series(counts_of(made["cells"], made["readings"]))
    assert children.groupby(made["cells"]["maker"]).mean().to_dict() == pytest.approx(
        {"A": 9, "B": 2}, abs=0.5
    )


def test_numbers_of_children_and_grandchildren_follow_the_parent_and_keep_their_distribution():
    real, made = related(depth=3), drawn(related(depth=3))
    joined = [
        tables["alarms"].merge(tables["readings"], on="reading").merge(tables["cells"], on="cell")
        for tables in ({name: table.frame for name, table in real.items()}, made)
    ]
    want, have = (table[["level", "voltage", "capacity"]].corr().to_numpy() for table in joined)
    assert np.abs(have - want).max() < 0.15
    within = [
        table.groupby("cell")["voltage"].std().mean() for table in (real["readings"].frame, made["readings"])
    ]
    assert within[1] == pytest.approx(within[0], rel=0.08)
    assert made["readings"]["voltage"].std() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("scale", [0.01, 0.5, 3.0])
def test_parents_grow_with_the_scale_and_children_with_them(scale):
    made = drawn(related(), scale)
    assert len(made["cells"]) == round(200 * scale)
    if scale >= 0.5:
        assert len(made["readings"]) == pytest.approx(scale * len(related()["readings"].frame), rel=0.2)
    assert len(made["readings"]) > 0


@pytest.mark.parametrize("missing", [0.3, 0.99, 1.0])
def test_children_without_a_parent_are_as_many_and_as_they_were(missing):
    tables = related()
    readings = tables["readings"].frame.astype({"cell": str})
    orphan = np.random.default_rng(2).random(len(readings)) < missing
    readings["cell"] = readings["cell"].mask(orphan, None)
    readings["state"] = np.where(orphan, "in store", readings["state"])
    tables["cells"] = modelled(tables["cells"].frame.astype({"cell": str}), ["capacity"], ["cell"])
    tables["readings"] = modelled(readings, ["voltage"], ["reading"], [CELLS_READINGS])
    made = drawn(tables)
    gaps = made["readings"]["cell"].isna()
    assert len(gaps) == pytest.approx(len(readings), rel=0.15)
    assert gaps.mean() == pytest.approx(orphan.mean(), abs=0.05)
    assert set(made["readings"]["cell"].dropna()) <= set(made["cells"]["cell"])
    assert ((made["readings"]["state"] == "in store") == gaps).all()


def test_a_second_parent_is_named_as_often_and_the_gaps_stay():
    tables = related()
    rooms = pd.DataFrame({"room": [f"L{k}" for k in range(60)]})
    random, count = np.random.default_rng(3), len(tables["readings"].frame)
    used = pd.Series(random.choice(rooms["room"][:20], count)).mask(random.random(count) < 0.2)
    link = Link("rooms", "readings", "room")
    readings = tables["readings"].frame.assign(room=used)
    tables |= {
        "rooms": modelled(rooms, [], ["room"]),
        "readings": modelled(readings, ["voltage"], ["reading"], [CELLS_READINGS, link]),
    }
    made = drawn({name: tables[name] for name in ("cells", "rooms", "readings")}, scale=3.0)
    counts = counts_of(made["rooms"], made["readings"], "room")
    assert (counts == 0).mean() == pytest.approx(2 / 3, abs=0.1)
    assert set(made["readings"]["room"].dropna()) <= set(made["rooms"]["room"])
    assert made["readings"]["room"].isna().mean() == pytest.approx(0.2, abs=0.04)
    assert set(made["readings"]["cell"]) <= set(made["cells"]["cell"])


def test_two_keys_may_name_rows_of_one_table_and_a_key_may_be_both_primary_and_foreign():
    frame, _ = cells()
    pairs = pd.DataFrame(
        {"left": frame["cell"], "right": frame["cell"].sample(frac=1, random_state=0).to_numpy()}
    )
    plates = pd.DataFrame({"cell": frame["cell"][:120], "serial": frame["cell"][:120].astype(str)})
    links = [Link("cells", "pairs", "left"), Link("cells", "pairs", "right")]
    made = drawn(
        {
            "cells": modelled(frame, ["capacity"], ["cell"]),
            "pairs": modelled(pairs, [], [], links),
            "plates": modelled(plates, [], ["cell", "serial"], [Link("cells", "plates", "cell")]),
        }
    )
    known = set(made["cells"]["cell"])
    assert set(made["pairs"]["left"]) | set(made["pairs"]["right"]) | set(made["plates"]["cell"]) <= known
    assert made["plates"]["cell"].is_unique and made["plates"]["serial"].is_unique
    assert len(made["plates"]) == pytest.approx(120, abs=25)


def folder_of(path, shares_missing):
    """A folder with readings of cells in rooms; `shares_missing` of the keys to both are blank."""
    random = np.random.default_rng(0)
    tables = {
        "cells": pd.DataFrame({"cell": [f"C{k}" for k in range(80)], "rated": random.choice([2.0, 6.0], 80)})
    }
    tables["rooms"] = pd.DataFrame(
        {"room": [f"L{k}" for k in range(60)], "warm": random.normal(25, 5, 60).round(1)}
    )
    readings = pd.DataFrame({"cell": random.choice(tables["cells"]["cell"], 400)})
    readings["room"] = random.choice(tables["rooms"]["room"], 400)
    rated = readings["cell"].map(tables["cells"].set_index("cell")["rated"])
    warm = readings["room"].map(tables["rooms"].set_index("room")["warm"])
    readings["voltage"] = (rated + random.normal(0, 0.1, 400)).round(2)
    readings["degrees"] = (warm + random.normal(0, 0.5, 400)).round(1)
    for key, share in shares_missing.items():
        readings[key] = readings[key].mask(random.random(400) < share)
    tables["readings"] = readings
    specs = {
        "cells": {"primary_key": "cell", "columns": {"cell": ID, "rated": CATEGORICAL}},
        "rooms": {"primary_key": "room", "columns": {"room": ID, "warm": NUMERICAL}},
        "readings": {"columns": {"cell": ID, "room": ID, "voltage": NUMERICAL, "degrees": NUMERICAL}},
    }
    links = [
        {"parent_table_name": f"{key}s", "parent_primary_key": key, "child_table_name": "readings"}
        | {"child_foreign_key": key}
        for key in ("cell", "room")
    ]
    return write_folder(path, tables, specs, links)


@pytest.mark.parametrize(("missing", "leader"), [({}, "cells"), ({"cell": 0.9, "room": 0.2}, "rooms")])
def test_children_follow_the_larger_parent_unless_most_have_none_and_the_notes_say_so(
    tmp_path, missing, leader
):
    twin = synthesize(
        read_dataset(folder_of(tmp_path / "folder", missing)),
        rows=None,
        scale=1.0,
        seed=0,
        method="trees",
        progress=lambda *_: None,
    )
    (note,) = twin.notes
    assert f"which follow {leader}" in note
    readings = twin.tables["readings"]
    for key in ("cell", "room"):
        assert readings[key].isna().mean() == pytest.approx(missing.get(key, 0), abs=0.08)
        assert readings[key].dropna().isin(twin.tables[f"{key}s"][key]).all()
    rated = readings["cell"].map(twin.tables["cells"].set_index("cell")["rated"])
    warm = readings["room"].map(twin.tables["rooms"].set_index("room")["warm"])
    followed = {"cells": readings["voltage"].corr(rated), "rooms": readings["degrees"].corr(warm)}
    assert followed.pop(leader) > 0.7
    assert abs(followed.popitem()[1]) < 0.5
    assert set(readings["voltage"].dropna().round(2)) == set(readings["voltage"].dropna())
