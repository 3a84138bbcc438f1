"""BMS logs to cleaned, featured, imputed and scaled tables, with a report on their quality.

`preprocess(frame_or_path)` does it all in memory; it and its types load pandas only when first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bms_preprocess.preprocessing import Preprocessed, preprocess
    from bms_preprocess.stored import Fitted, load_fitted

__version__ = "0.1.0"
__all__ = ["Fitted", "Preprocessed", "load_fitted", "preprocess"]

_HOMES = {
    "Fitted": "bms_preprocess.stored",
    "Preprocessed": "bms_preprocess.preprocessing",
    "load_fitted": "bms_preprocess.stored",
    "preprocess": "bms_preprocess.preprocessing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bms_preprocess' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
