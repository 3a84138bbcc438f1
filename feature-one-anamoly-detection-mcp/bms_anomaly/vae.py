"""A variational autoencoder (Kingma and Welling 2014) that scores rows by their negative evidence lower bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import nn

HIDDEN, LARGEST_LATENT = 32, 6
BATCH, LEARNING_RATE = 256, 3e-3
EPOCHS, FEWEST_STEPS = 20, 600
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


def train(x: np.ndarray, seed: int) -> nn.Module:
    """Train on scaled rows (n, d); the same seed and rows give the same network."""
    import torch

    torch.set_num_threads(THREADS)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: Any = build(x.shape[1])
    rows = torch.as_tensor(x, dtype=torch.float32)
    steps = max(FEWEST_STEPS, EPOCHS * len(rows) // BATCH)
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    latent = network.decoder[0].in_features
    size = min(BATCH, len(rows))
    for _ in range(steps):
        batch = rows[torch.randint(len(rows), (size,), generator=generator)]
        noise = torch.randn(size, latent, generator=generator)
        loss = network.negative_elbo(batch, noise).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    trained: nn.Module = network.double().eval()
    return trained


def score(network: nn.Module, x: np.ndarray) -> np.ndarray:
    """Return the negative ELBO of scaled rows (n, d), shape (n,); higher = more anomalous."""
    import torch

    torch.set_num_threads(THREADS)
    trained: Any = network
    with torch.no_grad():
        parts = [
            trained.negative_elbo(
                torch.as_tensor(x[start : start + SCORE_CHUNK], dtype=torch.float64)
            ).numpy()
            for start in range(0, len(x), SCORE_CHUNK)
        ]
    return np.concatenate(parts) if parts else np.empty(0)
