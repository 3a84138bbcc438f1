"""Where the members that are mostly products of matrices run."""

from typing import Literal, get_args

from bms_schema.run.errors import InvalidArgument

Device = Literal["cpu", "auto", "cuda"]


def torch_device(asked: str) -> str | None:
    """Return the torch device for the autoencoder and the distances; None: the CPU, distances by numpy.

    Raises:
        InvalidArgument: no such choice, or "cuda" where torch sees no CUDA GPU.
    """
    if asked not in get_args(Device):
        raise InvalidArgument(f"device is {asked!r}.", expected="'cpu', 'auto' or 'cuda'")
    if asked == "cpu":
        return None
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if asked == "cuda":
        raise InvalidArgument(
            "device is 'cuda', and torch sees no CUDA GPU.",
            expected="a CUDA GPU, its driver and a build of torch that knows CUDA",
            fix="Pass device='auto', which takes a GPU where there is one, or 'cpu'.",
        )
    return None
