"""Where torch computes: the devices that this machine has, by the names that users give them, and threads."""

from __future__ import annotations

import torch

from gradcheck_cli.errors import DeviceError
from gradcheck_cli.surfaces import Option

Device = torch.device
TORCH_VERSION = str(torch.__version__)


def use_threads(count: int) -> None:
    """Let torch compute in so many threads of this process."""
    torch.set_num_threads(count)


def resolve_device(text: str) -> torch.device:
    """`cpu`, `cuda`, `cuda:N` or `auto` as a device that this machine has.

    Raises DeviceError, which says what there is.
    """
    if text == "cpu":  # without asking what else there is, which starts CUDA
        return torch.device("cpu")
    available = (
        ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))] if torch.cuda.is_available() else ["cpu"]
    )
    if text == "auto":
        return torch.device("cuda" if len(available) > 1 else "cpu")
    if text == "cuda" and len(available) > 1:
        return torch.device("cuda")
    if text not in available:
        raise DeviceError(
            f"there is no device {text!r} here: this machine and this build of torch ({TORCH_VERSION}) have "
            f"{', '.join(available)}; use ",
            Option("device", "auto"),
            " to take the best one there is",
        )
    return torch.device(text)


def device_name(device: torch.device) -> str:
    """The device for people: cpu, or `cuda:0 (the name of the card)`."""
    if device.type != "cuda":
        return str(device)
    index = torch.cuda.current_device() if device.index is None else device.index
    return f"cuda:{index} ({torch.cuda.get_device_name(index)})"
