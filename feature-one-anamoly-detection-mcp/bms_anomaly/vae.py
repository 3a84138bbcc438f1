"""A variational autoencoder (Kingma and Welling 2014) that scores rows by their negative evidence lower bound."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import nn

HIDDEN, LARGEST_LATENT = 32, 6
BATCH, LEARNING_RATE = 256, 3e-3
DECAY, EPSILON = (0.9, 0.999), 1e-8  # of Adam, as its authors have them
EPOCHS, FEWEST_STEPS = 20, 400
# A feature the decoder reproduces exactly must not own the score.
SMALLEST_LOG_SIGMA = -3.0
SCORE_CHUNK = 65_536
# Layers this small gain nothing from a second thread, and two that wait for each other on busy cores cost
# 70-150 s where one takes 3.
THREADS = 1


def build(n_features: int) -> nn.Module:
    """Return an untrained network: tanh encoder and decoder, linear (unbounded) output, a sigma per feature."""
    import torch
    from torch import nn

    latent = max(1, min(LARGEST_LATENT, n_features // 2))

    class Vae(nn.Module):
        """Encoder to mean and log variance, decoder to the mean of every feature."""

        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.Sequential(
                nn.Linear(n_features, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 2 * latent)
            )
            self.decoder = nn.Sequential(nn.Linear(latent, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, n_features))
            self.log_sigma = nn.Parameter(torch.zeros(n_features))

        def negative_elbo(self, x: Any, noise: Any | None = None) -> Any:
            """Return -ELBO per row; without noise the posterior mean stands for its draws."""
            mean, log_variance = self.encoder(x).chunk(2, dim=1)
            log_variance = log_variance.clamp(-10.0, 10.0)
            z = mean if noise is None else mean + noise * torch.exp(0.5 * log_variance)
            log_sigma = self.log_sigma.clamp(min=SMALLEST_LOG_SIGMA)
            residual = (x - self.decoder(z)) * torch.exp(-log_sigma)
            likelihood = (0.5 * residual**2 + log_sigma).sum(dim=1)
            kl = 0.5 * (mean**2 + log_variance.exp() - 1.0 - log_variance).sum(dim=1)
            return likelihood + kl

    return Vae()


def train(x: np.ndarray, seed: int, device: str = "cpu") -> nn.Module:
    """Train on scaled rows (n, d) and return the network, which is on the device.

    The same seed and rows give the same network, on every device up to rounding: chance comes from the CPU.
    """
    import torch

    torch.set_num_threads(THREADS)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: Any = build(x.shape[1]).to(device)
    rows = torch.as_tensor(x, dtype=torch.float32, device=device)
    steps = max(FEWEST_STEPS, EPOCHS * len(rows) // BATCH)
    parameters = list(network.parameters())
    moments = [(torch.zeros_like(value), torch.zeros_like(value)) for value in parameters]
    latent = network.decoder[0].in_features
    size = min(BATCH, len(rows))
    for step in range(steps):
        batch = rows[torch.randint(len(rows), (size,), generator=generator).to(device)]
        noise = torch.randn(size, latent, generator=generator).to(device)
        slopes = torch.autograd.grad(network.negative_elbo(batch, noise).mean(), parameters)
        rate = 0.5 * LEARNING_RATE * (1.0 + math.cos(math.pi * step / steps))  # down to 0 along a cosine
        with torch.no_grad():
            for value, slope, moment in zip(parameters, slopes, moments, strict=True):
                _adam_step(value, slope, moment, step + 1, rate)
    trained: nn.Module = network.double().eval()
    return trained


def _adam_step(value: Any, slope: Any, moments: tuple[Any, Any], step: int, rate: float) -> None:
    """Move a parameter in place by one step of Adam (Kingma and Ba 2015).

    torch's own optimisers load its compiler first, which takes longer than the whole training.
    """
    first, second = moments
    first.mul_(DECAY[0]).add_(slope, alpha=1.0 - DECAY[0])
    second.mul_(DECAY[1]).addcmul_(slope, slope, value=1.0 - DECAY[1])
    spread = (second / (1.0 - DECAY[1] ** step)).sqrt_().add_(EPSILON)
    value.addcdiv_(first, spread, value=-rate / (1.0 - DECAY[0] ** step))


def on_device(network: nn.Module, device: str) -> nn.Module:
    """Return a copy of the network on a device."""
    return copy.deepcopy(network).to(device)


def score(network: nn.Module, x: np.ndarray) -> np.ndarray:
    """Return the negative ELBO of scaled rows (n, d), shape (n,); higher = more anomalous."""
    import torch

    torch.set_num_threads(THREADS)
    trained: Any = network
    with torch.no_grad():
        parts = [
            trained.negative_elbo(_tensor(trained, x[start : start + SCORE_CHUNK])).cpu().numpy()
            for start in range(0, len(x), SCORE_CHUNK)
        ]
    return np.concatenate(parts) if parts else np.empty(0)


def latent(network: nn.Module, z: np.ndarray) -> np.ndarray:
    """Return the posterior means of scaled rows (n, d), shape (n, k)."""
    import torch

    torch.set_num_threads(THREADS)
    trained: Any = network
    with torch.no_grad():
        means = trained.encoder(_tensor(trained, z)).chunk(2, dim=1)[0]
    return np.asarray(means.cpu().numpy())


def _tensor(trained: Any, x: np.ndarray) -> Any:
    """Return rows as a tensor where the network is."""
    import torch

    return torch.as_tensor(x, dtype=torch.float64, device=trained.log_sigma.device)
