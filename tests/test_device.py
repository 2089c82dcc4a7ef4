"""Devices and precisions by name."""

import ctypes
import platform

import pytest
import torch

from sdr2hdr import device
from sdr2hdr.errors import UsageError

CPU = torch.device("cpu")


def test_auto_takes_a_gpu_if_there_is_one() -> None:
    assert device.choose("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert device.choose("cpu") == CPU
    assert "cpu" in device.available()


@pytest.mark.parametrize("name", ["cuda:99", "nonsense", "", "meta", "cpu:x"])
def test_absent_devices_are_refused_with_the_list_of_those_that_are_there(name: str) -> None:
    with pytest.raises(UsageError, match=r"take one of auto, cpu") as caught:
        device.choose(name)
    assert caught.value.status == 2


@pytest.mark.parametrize(("amx", "expected"), [(True, "bf16"), (False, "fp32")])
def test_auto_precision_follows_the_hardware(
    amx: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    assert device.precision("auto", CPU) == expected
    assert device.precision("fp32", CPU) == "fp32"
    assert device.precision("bf16", CPU) == "bf16"
    assert ("AMX" in device.title(CPU)) == amx


def test_without_the_private_name_float32_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported", raising=False)
    assert device.precision("auto", CPU) == "fp32"


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16")])
def test_auto_precision_on_cuda(
    capability: tuple[int, int], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert device.precision("auto", torch.device("cuda")) == expected


def test_unknown_precision() -> None:
    with pytest.raises(UsageError, match="fp16"):
        device.precision("fp16", CPU)


def test_the_allocator_is_tuned_on_glibc_and_left_alone_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    glibc = platform.libc_ver()[0] == "glibc"
    assert device.tune_allocator() is glibc
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert device.tune_allocator() is False
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert device.tune_allocator() is False


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_is_named() -> None:
    assert torch.cuda.get_device_name(0) in device.title(torch.device("cuda:0"))
