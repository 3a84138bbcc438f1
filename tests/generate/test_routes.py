"""Which model makes which tables is decided by their shape, their size and the method alone."""

import pytest
from bms_generate.routes import Route, plan_routes
from bms_schema.run.errors import InvalidArgument

PAIR = [("cells", "readings")]
CHAIN = [("sites", "strings"), ("strings", "cells")]
STAR = [("cells", f"log{number}") for number in range(4)]


def described(links, *alone):
    """Metadata of tables that are related so, children named first, and of some that are not."""
    names = [name for link in links for name in reversed(link)]
    return {
        "tables": {name: {} for name in [*alone, *names]},
        "relationships": [
            {"parent_table_name": parent, "child_table_name": child, "child_foreign_key": f"{parent}_id"}
            for parent, child in links
        ],
    }


def models(links, method="auto", rows=50, **sizes):
    metadata = described(links)
    sizes = dict.fromkeys(metadata["tables"], rows) | sizes
    return [route.model for route in plan_routes(metadata, sizes, method)]


@pytest.mark.parametrize(
    ("method", "fleets", "model"),
    [
        ("auto", {"battery"}, "FleetSynthesizer"),
        ("auto", set(), "SequentialTrees"),
        ("trees", set(), "SequentialTrees"),
        ("copula", set(), "GaussianCopula"),
    ],
)
def test_a_table_that_stands_alone_is_made_by_the_fleet_model_where_it_is_one_else_as_asked_for(
    method, fleets, model
):
    routes = plan_routes(described([], "battery"), {"battery": 100}, method, fleets)
    assert routes == [Route(("battery",), model)]


@pytest.mark.parametrize(
    ("links", "sizes"),
    [
        (PAIR, {"cells": 300, "readings": 99_700}),
        (STAR, {}),
        ([("cells", "readings"), ("sites", "readings")], {"cells": 150, "sites": 150}),
        ([("cells", "pairs"), ("cells", "pairs")], {"cells": 300}),
    ],
)
def test_small_related_tables_are_made_by_hma_and_by_trees_where_asked_for(links, sizes):
    assert models(links, **sizes) == ["HMA"]
    assert models(links, "copula", **sizes) == ["HMA"]
    assert models(links, "trees", **sizes) == ["ParentChildTrees"]


@pytest.mark.parametrize(
    ("links", "sizes", "told"),
    [
        (PAIR, {"cells": 301}, "351 rows under 301 parent rows"),
        ([("cells", "readings"), ("sites", "readings")], {"cells": 150, "sites": 151}, "under 301 parent"),
        (PAIR, {"readings": 99_951}, "100,001 rows under 50 parent rows"),
        (CHAIN, {}, "3 tables over 3 levels"),
        ([*CHAIN, ("sites", "cells")], {}, "3 tables over 3 levels"),
        ([*STAR, ("cells", "log4")], {}, "6 tables over 2 levels"),
    ],
)
def test_larger_or_deeper_ones_are_made_by_trees_and_refused_where_sdv_is_asked_for(links, sizes, told):
    assert models(links, **sizes) == ["ParentChildTrees"]
    with pytest.raises(InvalidArgument, match=told) as refusal:
        models(links, "copula", **sizes)
    assert "auto" in str(refusal.value)


def test_every_table_is_on_one_route_parents_before_children_groups_in_the_order_of_the_file():
    metadata = described([*CHAIN, ("makers", "cells")], "weather")
    metadata["tables"]["battery"] = {}
    routes = plan_routes(metadata, dict.fromkeys(metadata["tables"], 50), "auto", {"battery"})
    assert [route.model for route in routes] == ["SequentialTrees", "ParentChildTrees", "FleetSynthesizer"]
    assert routes[0].tables + routes[2].tables == ("weather", "battery")
    order = routes[1].tables
    assert sorted(order) == ["cells", "makers", "sites", "strings"]
    assert order.index("sites") < order.index("strings") < order.index("cells") > order.index("makers")


def test_readings_that_refer_to_other_tables_go_by_themselves_and_leave_the_others_related():
    links = [("sites", "cells"), ("cells", "readings")]
    routes = plan_routes(
        described(links), {"sites": 5, "cells": 400, "readings": 200_000}, "auto", ["readings"]
    )
    assert routes == [Route(("sites", "cells"), "HMA"), Route(("readings",), "FleetSynthesizer")]
