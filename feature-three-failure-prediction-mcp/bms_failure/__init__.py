"""Which cells are likely to die: an MCP server, and `FailureClassifier` for Python."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bms_failure.classifier import FailureClassifier

__all__ = ["FailureClassifier"]


def __getattr__(name: str) -> Any:
    """Load the estimator, and pandas with it, only when asked for."""
    if name == "FailureClassifier":
        from bms_failure.classifier import FailureClassifier

        return FailureClassifier
    raise AttributeError(f"module 'bms_failure' has no attribute '{name}'")
