"""Where the nets run, in what precision, and how the C library gives them memory."""

import ctypes
import platform

import torch
from torch import nn

from sdr2hdr.errors import UsageError

PRECISIONS = ("auto", "fp32", "bf16")

# Options of mallopt in glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8


def choose(name: str = "auto") -> torch.device:
    """Device by name: "auto" (a CUDA device if there is one, else the CPU), "cpu", "cuda", "cuda:1", "mps".

    Raises
    ------
    UsageError
        PyTorch does not know the name, or this machine does not have the device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"device {name!r} is unknown; take one of auto, {', '.join(available())}") from None
    present = (
        device.type == "cpu"
        or (device.type == "cuda" and (device.index or 0) < torch.cuda.device_count())
        or (device.type == "mps" and torch.backends.mps.is_available())
    )
    if not present:
        raise UsageError(
            f"device {name!r} is not on this machine; take one of auto, {', '.join(available())}"
        )
    return device


def available() -> list[str]:
    """Names of the devices of this machine."""
    cuda = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return ["cpu", *cuda, *(["mps"] if torch.backends.mps.is_available() else [])]


def title(device: torch.device) -> str:
    """What a person calls the device, e.g. "cuda:0 (NVIDIA H100)" or "cpu (2 threads, AVX512, AMX)"."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        words = [f"{torch.get_num_threads()} threads", torch.backends.cpu.get_cpu_capability()]
        return f"cpu ({', '.join(words + ['AMX'] * _has_amx())})"
    return str(device)


def precision(name: str, device: torch.device) -> str:
    """ "fp32" or "bf16": `name` itself, or for "auto" bf16 where the hardware multiplies it fast.

    That is CPUs with AMX tiles and CUDA devices from compute capability 8.0 (Ampere) on.

    Raises
    ------
    UsageError
        `name` is none of PRECISIONS.
    """
    if name not in PRECISIONS:
        raise UsageError(f"precision {name!r} is unknown; take one of {', '.join(PRECISIONS)}")
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp32"
    return "bf16" if device.type == "cpu" and _has_amx() else "fp32"


def round_bodies(net: nn.Module) -> None:
    """Make the heavy layers bfloat16: all parameters of sub-modules named `body`; every other one stays float32."""
    for name, module in net.named_modules():
        if name.rpartition(".")[2] == "body":
            module.to(torch.bfloat16)


def _has_amx() -> bool:
    # A private name of PyTorch: guarded, and float32 is always right.
    supported = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(supported()) if callable(supported) else False


def tune_allocator() -> bool:
    """Keep freed tensors in the process, for big CPU tensors are else given back and paged in again layer by layer.

    To be called before the first tensor. One arena, so that it holds for every thread. True if the C library took it;
    others than glibc do not know these options and are left alone.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    options = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_ARENA_MAX, 1))
    return all([mallopt(option, value) == 1 for option, value in options])
