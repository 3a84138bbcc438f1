"""The path through a GPU, walked on the CPU: the same torch code, which CI has no GPU for."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from bms_anomaly import HybridDetector, devices, hybrid, vae
from bms_anomaly.neighbours import Neighbours
from bms_anomaly.scoring import FleetDetector
from bms_anomaly.storage import load_detector, save_detector
from bms_schema.run.errors import InvalidArgument

ROWS = np.random.default_rng(0).normal(size=(700, 5)) @ np.random.default_rng(1).normal(size=(5, 5))


@pytest.fixture
def visited(monkeypatch):
    """Stand in for a GPU: torch code runs on the CPU; tell which devices the distances were worked out on."""
    seen = []
    nearest = Neighbours.score
    monkeypatch.setattr(hybrid, "torch_device", lambda asked: "cpu" if asked == "cuda" else None)
    monkeypatch.setattr(Neighbours, "score", lambda self, z: seen.append(self.device) or nearest(self, z))
    return seen


def test_a_device_gives_the_scores_of_the_cpu(visited):
    there = HybridDetector(device="cuda").fit(ROWS)
    scores = there.member_scores(ROWS * 1.5)
    assert set(visited) == {"cpu"}
    here = HybridDetector().fit(ROWS)
    assert scores == pytest.approx(here.member_scores(ROWS * 1.5), abs=1e-4)
    assert there.score_samples(ROWS) == pytest.approx(here.score_samples(ROWS), abs=1e-4)
    assert there.threshold_ == pytest.approx(here.threshold_, abs=1e-4)
    assert np.array_equal(there.predict(ROWS), here.predict(ROWS))


def test_distances_on_a_device_are_those_of_numpy():
    member = Neighbours.fitted(ROWS[:600], seed=0)
    for space in member.spaces:
        expected = space.nearest(ROWS[600:], 8)
        assert space.nearest(ROWS[600:], 8, "cpu") == pytest.approx(expected, abs=1e-4)


def test_the_autoencoder_is_on_the_device_until_its_result_comes_back():
    """Torch's meta device calculates nothing, but like a GPU does not add its numbers to the CPU's."""
    network = vae.train(ROWS, 0, "meta")
    assert {value.device.type for value in network.parameters()} == {"meta"}
    for result in (vae.score, vae.latent):
        with pytest.raises(NotImplementedError, match="copy out of meta"):
            result(network, ROWS)


def test_what_a_device_learnt_is_stored_for_a_machine_without_one(visited, workspace):
    names = [f"voltage_{number}" for number in range(5)]
    there = HybridDetector(device="cuda").fit(ROWS)
    kept = there.members_
    assert kept.neighbours.device is None
    assert {value.device.type for value in kept.vae.parameters()} == {"cpu"}
    version = save_detector(FleetDetector(there, names), columns=["CellVoltage"], split="all rows")
    visited.clear()
    again = load_detector(version)[0].hybrid
    assert again.device == "cpu"
    assert again.score_samples(ROWS) == pytest.approx(there.score_samples(ROWS), abs=1e-4)
    assert visited == [None, "cpu"]


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch):
    for there in (True, False):
        monkeypatch.setattr(torch, "cuda", SimpleNamespace(is_available=lambda there=there: there))
        assert devices.torch_device("auto") == ("cuda" if there else None)
        assert devices.torch_device("cpu") is None


def test_a_gpu_that_is_not_there_and_an_unknown_device_are_refused(monkeypatch):
    monkeypatch.setattr(torch, "cuda", SimpleNamespace(is_available=lambda: False))
    with pytest.raises(InvalidArgument, match="sees no CUDA GPU"):
        HybridDetector(device="cuda").fit(ROWS)
    with pytest.raises(InvalidArgument, match="'cpu', 'auto' or 'cuda'"):
        HybridDetector(device="tpu").fit(ROWS)
