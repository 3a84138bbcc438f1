"""What the engine is made of: blocks of cells, the cut of the sample, the budget."""

import numpy as np
import pandas as pd
import pytest
from bms_preprocess.blocks import cell_blocks
from bms_preprocess.learning import SAMPLE_ROWS, SmallestHashes
from bms_preprocess.whole_table import BYTES_PER_ROW, rows_in_memory
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=60), st.integers(1, 30))
def test_blocks_hold_whole_cells_and_every_row_once_in_order(cells: list[str], most: int) -> None:
    frame = pd.DataFrame({"Cell ID": cells})
    blocks = cell_blocks(frame, most)
    assert sorted(np.concatenate(blocks)) == list(range(len(cells)))
    owners = [set(frame["Cell ID"].iloc[block]) for block in blocks]
    assert sum(map(len, owners)) == len(set(cells))
    for block, owner in zip(blocks, owners, strict=True):
        assert (np.diff(block) > 0).all()
        assert len(block) <= most or len(owner) == 1


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=30), max_size=8), st.integers(1, 40))
def test_the_sample_is_cut_at_the_same_hash_however_rows_arrive(parts: list[list[int]], size: int) -> None:
    everything = sorted(value for part in parts for value in part)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bms_preprocess.learning.SAMPLE_ROWS", size)
        smallest = SmallestHashes()
        for part in parts:
            smallest.add(np.array(part, dtype=np.uint64))
        assert smallest.cut == (everything[:size][-1] if everything else 0)


def test_the_sample_serves_both_fits() -> None:
    from bms_preprocess import imputation, scaling

    assert min(imputation.FIT_ROWS, scaling.FIT_ROWS) <= SAMPLE_ROWS


def test_the_budget_decides_how_many_rows_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BMS_MEMORY_BUDGET", str(1000 * BYTES_PER_ROW))
    assert rows_in_memory() == 1000
