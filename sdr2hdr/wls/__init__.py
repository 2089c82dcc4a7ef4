"""Weighted-least-squares smoothing, solved exactly.

Farbman, Fattal, Lischinski, Szeliski: Edge-Preserving Decompositions for Multi-Scale Tone and Detail Manipulation,
ACM Transactions on Graphics 27(3), 2008, equations 1 to 4. The smooth picture u minimises

    sum (u - s)^2 + lambda (a_x u_x^2 + a_y u_y^2),    a = 1 / (|d log Y|^alpha + epsilon)

so (I + L) u = s with a sparse symmetric matrix, the same for all channels. Influence decays over a hundred pixels and
more, so the picture cannot be cut into tiles; iterative solvers stall on noise or on text. Nested dissection (George
1973) takes the same time for every picture: pixels are eliminated in an order that keeps what is left of them small
and dense. The modules, bottom up: `fronts` (geometry), `stencil` (the matrix), `dense` and `tiles` (elimination of
large and of tiny fronts), `boxes` (64 x 64 pixels), `steps` and `dissection` (the whole picture), `threads`.

In float32 the first solution is within 2e-3 of the exact one, whatever the picture; the refinement with its residual,
within 1e-5.
"""

import math
from dataclasses import dataclass
from functools import partial

import torch

from sdr2hdr.errors import InputError, UsageError
from sdr2hdr.wls.dissection import Dissection
from sdr2hdr.wls.stencil import residual
from sdr2hdr.wls.threads import Run, in_order, runner

_BATCH_PIXELS = 2**20  # pictures of a batch are solved together up to this many pixels: bounds the memory
_BATCH_PICTURES = 16  # more of them gain nothing
_ENOUGH = (
    1.5e-2  # no error above 1/50 of the last refinement's change was met, on photographs, text and noise
)
_REFINEMENTS = 5


@dataclass(frozen=True)
class WlsParameters:
    """Parameters of the filter.

    lam : strength of the smoothing, > 0
    alpha : sensitivity to edges of the guide, exponent of the log-luminance difference, >= 0
    epsilon : > 0, bounds the weights where the guide is flat: a <= 1 / epsilon
    floor : > 0, the guide's least luminance; what is darker counts as this
    """

    lam: float = 1.0
    alpha: float = 1.2
    epsilon: float = 1e-4
    floor: float = 1e-4

    def __post_init__(self) -> None:
        if not (self.lam > 0 and self.alpha >= 0 and self.epsilon > 0 and self.floor > 0):
            raise UsageError(f"{self}: lam, epsilon and floor must be positive, and alpha not negative")


DEFAULT = WlsParameters()


@torch.no_grad()
def smooth(image: torch.Tensor, guide: torch.Tensor, parameters: WlsParameters = DEFAULT) -> torch.Tensor:
    """Smooth `image` except across the edges of `guide`.

    Pictures of a batch are solved together; on a CPU, by as many threads as torch is set to (`torch.get_num_threads`).
    The same input and number of threads give the same bytes.

    Parameters
    ----------
    image : (N, C, H, W) float32 or float64, about [0, 1]
    guide : (N, 1, H, W) of the same type, luminance of any scale, >= 0

    Returns
    -------
    (N, C, H, W), within 5e-4 of the exact solution for values in [0, 1]; as an average with positive weights it stays
    in the range of `image`, but for rounding

    Raises
    ------
    InputError
        A value is not finite.
    UsageError
        Shapes do not go together, or `lam / epsilon` is too large for the precision (float32: 8e6).
    """
    count, _, height, width = image.shape
    if guide.shape != (count, 1, height, width):
        raise UsageError(f"guide of shape {tuple(guide.shape)} for images of shape {tuple(image.shape)}")
    if parameters.lam / parameters.epsilon > 1 / torch.finfo(image.dtype).eps:
        raise _too_stiff(parameters, image)  # I is lost beside L, and the matrix singular in this precision
    out = torch.empty_like(image, memory_format=torch.contiguous_format)
    together = min(_BATCH_PICTURES, max(1, _BATCH_PIXELS // max(1, height * width)))
    groups = range(-(-count // together))
    slices = [slice(count * n // len(groups), count * (n + 1) // len(groups)) for n in groups]
    threads = torch.get_num_threads() if image.device.type == "cpu" else 1
    with runner(threads) as run:
        if len(slices) >= threads:  # whole groups side by side: nothing to wait for
            run([partial(_solve, image[s], guide[s], parameters, out[s], in_order, 1) for s in slices])
        else:
            for s in slices:
                _solve(image[s], guide[s], parameters, out[s], run, 2 * threads)
    return out


def edge_weights(
    guide: torch.Tensor, parameters: WlsParameters = DEFAULT
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights lambda a of the edges between horizontal and between vertical neighbours.

    For a guide (N, 1, H, W): (N, H, W - 1) and (N, H - 1, W).
    """
    p = parameters
    log = guide[:, 0].clamp(min=p.floor).log()
    across, down = (p.lam / (log.diff(dim=d).abs() ** p.alpha + p.epsilon) for d in (2, 1))
    return across, down


@torch.no_grad()
def _solve(
    image: torch.Tensor,
    guide: torch.Tensor,
    parameters: WlsParameters,
    out: torch.Tensor,
    run: Run,
    parts: int,
) -> None:
    across, down = edge_weights(guide, parameters)
    boxes = 16 if image.device.type == "cpu" else 1024
    dissection = Dissection(across, down, run, parts, boxes)
    out.copy_(dissection.solve(image))
    for _ in range(_REFINEMENTS):
        change = dissection.solve(residual(image, out, across, down))
        out += change
        largest = float(change.abs().amax()) if change.numel() else 0.0
        if largest <= _ENOUGH:
            return
        if not math.isfinite(largest):
            break
    if not bool(image.isfinite().all() & guide.isfinite().all()):
        raise InputError("the picture has values that are not finite; nothing can be smoothed with them")
    raise _too_stiff(parameters, image)


def _too_stiff(parameters: WlsParameters, image: torch.Tensor) -> UsageError:
    return UsageError(f"{parameters}: too stiff for {image.dtype}; take a smaller lam or a larger epsilon")
