"""BMS-Flux anomaly detection: which cells and readings behave oddly."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bms_anomaly.hybrid import HybridDetector

__version__ = "0.1.0"
__all__ = ["HybridDetector", "__version__"]


def __getattr__(name: str) -> Any:
    """Load the detector on first use: importing the package must stay quick for the server's start."""
    if name == "HybridDetector":
        from bms_anomaly.hybrid import HybridDetector

        return HybridDetector
    raise AttributeError(f"module 'bms_anomaly' has no attribute '{name}'")
