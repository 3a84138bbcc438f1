"""Synthetic twins of battery data, and simulated fleets with their truth."""

__version__ = "0.1.0"
