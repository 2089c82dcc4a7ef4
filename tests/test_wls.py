"""The WLS solver against a sparse direct solver in double precision, and against the functional itself."""

import gc
import threading
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse
import scipy.sparse.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sdr2hdr import wls
from sdr2hdr.errors import InputError, UsageError
from sdr2hdr.wls import WlsParameters

Array = npt.NDArray[np.float64]

BAR = 5e-4
WEIGHTS = torch.tensor([0.2126, 0.7152, 0.0722])[:, None, None]
# around multiples of the tile (8) and of the box (64), and thin ones
SIZES = [
    *[(1, 1), (1, 2), (1, 65), (1, 300), (2, 1), (7, 8), (9, 5), (64, 1), (200, 1), (3, 130)],
    *[
        (63, 64),
        (64, 63),
        (64, 64),
        (65, 64),
        (65, 129),
        (127, 65),
        (128, 128),
        (129, 127),
        (200, 100),
        (64, 192),
    ],
]


def luminance(image: torch.Tensor) -> torch.Tensor:
    return (image * WEIGHTS.to(image)).sum(1, keepdim=True)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def photo(height: int, width: int) -> torch.Tensor:
    """A sky with a sun that is clipped, dark houses with lit windows, sensor noise, 8 bit."""
    y, x = torch.linspace(0, 1, height)[:, None], torch.linspace(0, 1, width)
    sky = torch.stack([0.4 + 0.3 * y + 0 * x, 0.6 + 0.2 * y + 0 * x, 0.9 - 0.3 * y + 0 * x])
    image = sky + 1.5 * torch.exp(-((x - 0.7) ** 2 + (y - 0.25) ** 2) / 0.02)
    houses = y > 0.55 + 0.15 * torch.floor(x * 5).remainder(2)
    windows = ((x * 40).remainder(1) > 0.5) & ((y * 30).remainder(1) > 0.6)
    walls = torch.where(windows, torch.tensor([0.9, 0.7, 0.3])[:, None, None], 0.05)
    image = torch.where(houses, walls, image) + 0.02 * (noise(3, height, width) - 0.5)
    return (image.clamp(0, 1)[None] * 255).round() / 255


def text(height: int, width: int) -> torch.Tensor:
    """Rows of black glyphs, made of bars of one and two pixels, on white."""
    glyphs = (
        noise(1, 1, -(-height // 12), -(-width // 2)).repeat_interleave(12, 2).repeat_interleave(2, 3) < 0.5
    )
    rows = (torch.arange(height) % 12 > 3)[:, None]
    return 1 - (glyphs[..., :height, :width] & rows).float().expand(1, 3, -1, -1)


def checks(height: int, width: int, pitch: int = 1) -> torch.Tensor:
    odd = torch.arange(height)[:, None] // pitch + torch.arange(width) // pitch
    return (odd % 2).float().expand(1, 3, -1, -1)


CONTENTS: dict[str, Callable[[int, int], torch.Tensor]] = {
    "photo": photo,
    "text": text,
    "noise": lambda h, w: noise(1, 3, h, w),
    "binary noise": lambda h, w: noise(1, 1, h, w).round().expand(1, 3, -1, -1),
    "16 bit noise": lambda h, w: (noise(1, 3, h, w) * 65535).round() / 65535,
    "dark noise": lambda h, w: (noise(1, 3, h, w) * 3).round() / 65535,
    "checkerboard": checks,
    "8 pixel checkerboard": lambda h, w: checks(h, w, 8),
    "stripes": lambda h, w: (torch.arange(h)[:, None] % 2).float().expand(1, 3, h, w),
    "colours of one luminance": lambda h, w: noise(1, 3, h, w) * torch.tensor([1, 0, 1])[:, None, None],
    "gradient": lambda h, w: torch.linspace(0, 1, w).expand(1, 3, h, w),
    "constant": lambda h, w: torch.full((1, 3, h, w), 0.5),
    "black": lambda h, w: torch.zeros(1, 3, h, w),
}


def exact(image: torch.Tensor, guide: torch.Tensor, p: WlsParameters = wls.DEFAULT) -> Array:
    """The minimum for one picture, by SuperLU in double precision."""
    signal, y = image[0].double().numpy(), guide[0, 0].double().numpy()
    log = np.log(np.maximum(y, p.floor))
    index = np.arange(log.size).reshape(log.shape)
    matrix = scipy.sparse.eye_array(log.size, format="csc")
    for axis in (0, 1):
        a = p.lam / (np.abs(np.diff(log, axis=axis)).ravel() ** p.alpha + p.epsilon)
        i, j = np.delete(index, -1, axis).ravel(), np.delete(index, 0, axis).ravel()
        edge = np.arange(len(a))
        slope = scipy.sparse.csc_array(
            (np.r_[-np.ones(len(a)), np.ones(len(a))], (np.r_[edge, edge], np.r_[i, j])),
            shape=(len(a), log.size),
        )
        matrix = matrix + slope.T @ scipy.sparse.diags_array(a) @ slope
    solution = scipy.sparse.linalg.splu(matrix.tocsc()).solve(signal.reshape(len(signal), -1).T)
    return np.asarray(solution.T.reshape(signal.shape))


def error(image: torch.Tensor, guide: torch.Tensor, p: WlsParameters = wls.DEFAULT) -> float:
    return float(np.abs(wls.smooth(image, guide, p)[0].double().numpy() - exact(image, guide, p)).max())


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_size_is_solved(size: tuple[int, int]) -> None:
    image = noise(1, 3, *size)
    guide = luminance(image) ** 8
    assert error(image, guide) < 1e-5
    assert error(image.double(), guide.double()) < 1e-11


@pytest.mark.parametrize("content", CONTENTS)
def test_every_content_is_solved(content: str) -> None:
    image = CONTENTS[content](150, 270)
    assert error(image, luminance(image)) < BAR / 10


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    levels=st.sampled_from([1, 2, 255, 65535]),
    gain=st.sampled_from([1.0, 1e-2, 1e-5]),
    p=st.builds(
        WlsParameters, st.floats(0.01, 4), st.floats(0.1, 3), st.floats(1e-4, 1), st.floats(1e-5, 0.1)
    ),
    seed=st.integers(0, 2**32),
)
def test_any_picture_is_solved(
    height: int, width: int, levels: int, gain: float, p: WlsParameters, seed: int
) -> None:
    image = (noise(1, 2, height, width, seed=seed) * levels).round() / levels
    assert error(image, image[:, :1] * gain, p) < BAR


def test_the_functional_is_least() -> None:
    """Its gradient, taken by autograd from the formula itself, is 0 at the solution."""
    image, p = noise(1, 1, 20, 30).double(), WlsParameters(0.7, 1.1, 1e-3, 1e-2)
    log = image.clamp(min=p.floor).log()
    u = wls.smooth(image, image, p).requires_grad_()
    energy = ((u - image) ** 2).sum()
    for axis in (2, 3):
        a = 1 / (log.diff(dim=axis).abs() ** p.alpha + p.epsilon)
        energy = energy + p.lam * (a * u.diff(dim=axis) ** 2).sum()
    (gradient,) = torch.autograd.grad(energy, u)
    assert float(gradient.abs().max()) < 1e-9


def test_black_stays_black_and_flat_stays_flat() -> None:
    assert not wls.smooth(torch.zeros(1, 3, 70, 40), torch.zeros(1, 1, 70, 40)).any()
    flat = torch.full((1, 3, 70, 140), 0.7)
    assert torch.allclose(wls.smooth(flat, flat[:, :1]), flat, atol=1e-6)


def test_smooth_is_an_average() -> None:
    image = noise(1, 3, 100, 100)
    u = wls.smooth(image, luminance(image))
    assert image.min() - 1e-6 <= u.min()
    assert u.max() <= image.max() + 1e-6
    assert torch.allclose(u.mean((2, 3)), image.mean((2, 3)), atol=1e-5)  # the columns of I + L add up to 1


@pytest.mark.parametrize(("count", "height", "width"), [(1, 130, 150), (5, 70, 64), (40, 9, 20), (0, 8, 8)])
def test_a_batch_is_its_pictures(threads: int, count: int, height: int, width: int) -> None:
    images = noise(count, 3, height, width)
    together = wls.smooth(images, luminance(images))
    assert together.shape == images.shape
    for n in range(count):
        alone = wls.smooth(images[n : n + 1], luminance(images[n : n + 1]))
        assert torch.allclose(together[n : n + 1], alone, atol=2e-6)


def test_bytes_are_the_same_again(threads: int) -> None:
    image = photo(200, 300)
    first, second = (wls.smooth(image, luminance(image)) for _ in range(2))
    assert torch.equal(first, second)


def test_a_strided_picture_is_the_same() -> None:
    image = photo(70, 90)
    strided = image.to(memory_format=torch.channels_last)
    assert torch.equal(wls.smooth(strided, luminance(image)), wls.smooth(image, luminance(image)))


def test_settings_of_the_process_are_kept(threads: int) -> None:
    found: list[int] = []
    ask = lambda: found.append(torch.get_num_threads())  # noqa: E731
    for flush in (False, True, False):
        torch.set_flush_denormal(flush)
        for run in (ask, lambda: wls.smooth(noise(1, 3, 70, 70), noise(1, 1, 70, 70)), ask):
            run()
            other = threading.Thread(target=ask)
            other.start()
            other.join()
        assert (float(torch.tensor(1e-38) * 0.1) == 0) == flush
    assert set(found) == {threads}


def test_nothing_waits_for_the_garbage_collector(threads: int) -> None:
    image = noise(2, 3, 130, 70)
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        wls.smooth(image, luminance(image))
        gc.collect()
        assert not [thing for thing in gc.garbage if isinstance(thing, torch.Tensor)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()


def test_what_cannot_be_solved_is_refused() -> None:
    image, guide = noise(1, 3, 9, 9), noise(1, 1, 9, 9)
    with pytest.raises(UsageError, match="shape"):
        wls.smooth(image, guide[..., :8])
    for where in (image, guide):
        where[0, 0, 3, 3] = torch.nan
        with pytest.raises(InputError, match="not finite"):
            wls.smooth(image, guide)
        where[0, 0, 3, 3] = 0
    for wrong in ({"lam": 0.0}, {"alpha": -1.0}, {"epsilon": 0.0}, {"floor": float("nan")}):
        with pytest.raises(UsageError, match="positive"):
            WlsParameters(**wrong)
    stiff = WlsParameters(lam=1e6)
    flat = torch.full((1, 1, 65, 65), 0.5)
    with pytest.raises(UsageError, match="stiff"):
        wls.smooth(noise(1, 3, 65, 65), flat, stiff)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_finds_the_same() -> None:
    image = torch.cat([photo(200, 330), text(200, 330)])
    u = wls.smooth(image.cuda(), luminance(image).cuda())
    assert u.device.type == "cuda"
    assert torch.allclose(u.cpu(), wls.smooth(image, luminance(image)), atol=BAR)
