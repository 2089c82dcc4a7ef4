"""The method, in order: working copy, base and detail, mask, three nets, full size.

It loads archives and never builds nets, so that nothing here depends on their insides.
"""

import copy
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sdr2hdr import __version__, checkpoint, device, formats, mask, order, render, scale
from sdr2hdr.carry import Carrier
from sdr2hdr.color import inplace
from sdr2hdr.color.tables import CODES, table
from sdr2hdr.color.transfer import pq_decode
from sdr2hdr.decompose import decompose
from sdr2hdr.errors import WeightsError
from sdr2hdr.image import SDR_WHITE_NITS, FloatArray, HdrImage, SdrImage
from sdr2hdr.settings import Settings

Observe = Callable[[str, torch.Tensor], None]
Progress = Callable[[str], None]
Nets = dict[str, checkpoint.Checkpoint]
Picture = SdrImage | npt.NDArray[Any] | str | Path

# Residuals and tone curves below this are rounding (an eighth of a 16-bit PQ code): nets that add nothing give the
# direct mapping bit for bit.
NOTHING = 2e-6

# Working copies with a shorter side than this go through float32 nets, whatever the precision: at the deep levels they
# are one pixel wide, where PyTorch 2.13's bfloat16 convolutions with a stride read memory that nobody has written
# (oneDNN, AMX; wrong numbers or NaN, other ones every time). They are small: it costs nothing.
NARROW = 256


@dataclass(frozen=True)
class Report:
    """What was found in one picture.

    clipped_share : share of the working copy's pixels that are clipped
    tau : signal at which the mask begins
    peak_nits : what the light was held below, cd/m2
    max_cll, max_fall : of the result, cd/m2 (CTA-861.3)
    seconds : by stage, in order
    """

    clipped_share: float
    tau: float
    peak_nits: float
    max_cll: float
    max_fall: float
    seconds: dict[str, float]


class Converter:
    """Loads the nets once and converts any number of pictures, of any size.

    The same picture, settings and number of threads give the same bytes. Several threads may use one converter at
    the same time; each call then computes with as many threads as PyTorch has, so give each its share
    (`torch.set_num_threads`), as `sdr2hdr.jobs.batch` does.

    >>> import numpy, sdr2hdr
    >>> convert = sdr2hdr.Converter(sdr2hdr.Settings(peak_nits=4000))
    >>> sdr = numpy.full((32, 48, 3), 128, numpy.uint8)
    >>> hdr = convert(sdr)
    >>> hdr.rgb.shape, hdr.rgb.dtype, hdr.white_nits
    ((32, 48, 3), dtype('float32'), 203.0)

    Raises
    ------
    WeightsError
        Weights are missing or altered.
    UsageError
        No such device or precision.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.device = device.choose(self.settings.device)
        self.precision = device.precision(self.settings.precision, self.device)
        self._nets = self._load(self.precision)
        self._narrow: list[Nets] = []  # one, once it is needed
        self._loading = threading.Lock()

    def with_peak(self, peak_nits: float) -> "Converter":
        """The same nets, loaded once, with another peak."""
        other = copy.copy(self)
        other.settings = replace(self.settings, peak_nits=peak_nits)
        return other

    def _load(self, precision: str) -> Nets:
        roles = ["base", "detail", "refine"]
        if not self.settings.invent:
            roles.remove("detail")
        if self.settings.strength == 0:
            return {}
        paths = checkpoint.find(self.settings.look, self.settings.weights)
        return {role: checkpoint.load(paths[role], role, self.device, precision) for role in roles}

    def _nets_for(self, size: tuple[int, int]) -> Nets:
        """The nets for a working copy of this height and width."""
        if self.precision == "fp32" or min(size) >= NARROW:
            return self._nets
        with self._loading:
            if not self._narrow:
                self._narrow.append(self._load("fp32"))
            return self._narrow[0]

    def __call__(
        self, picture: Picture, observe: Observe | None = None, progress: Progress | None = None
    ) -> HdrImage:
        """Convert one picture; see `convert`, which also reports."""
        return self.convert(picture, observe, progress)[0]

    def convert(
        self, picture: Picture, observe: Observe | None = None, progress: Progress | None = None
    ) -> tuple[HdrImage, Report]:
        """Convert one picture.

        Parameters
        ----------
        picture : what `formats.read` gave; or the name of a file; or an array, sRGB-encoded: (H, W), (H, W, 3) or
            (H, W, 4), uint8, uint16, or floating point in 0..1
        observe : called with the name and value of every intermediate result at the working size, (1, C, h, w)
        progress : called with the name of every stage as it begins

        Raises
        ------
        InputError
            The file cannot be read, or the array is no picture.
        WeightsError
            The nets give numbers that are not finite.
        """
        image = formats.picture(picture)
        run = _Run(observe, progress)
        with torch.no_grad():  # not inference mode: its tensors cannot be written to by other threads
            with run.stage("decompose"):
                size = scale.working_size(image.size, self.settings.work_size)
                small = scale.shrink(image.signal, size)
                share = mask.clipped_share(small)
                tau = self.settings.threshold or mask.threshold(share)
                seen = small.to(self.device)
                base = decompose(seen).base if self._nets else None
            curve, residual = inplace.srgb_light(), None
            if base is not None:
                curve, residual = self._infer(
                    self._nets_for(size), seen, base, mask.soft_mask(seen, tau), run
                )
            with run.stage("full size"):
                rendered = self._full_size(image.signal, small, curve, residual)
        report = Report(share, tau, self.settings.peak_nits, rendered.max_cll, rendered.max_fall, run.seconds)
        hdr = HdrImage(
            rendered.light,
            self.settings.white_nits,
            image.alpha,
            image.exif,
            image.xmp,
            self.recipe(image.digest),
            image,
        )
        return hdr, report

    def recipe(self, digest: str = "") -> dict[str, str]:
        """What the result depends on, in words; the picture is told by its digest, if it was a file."""
        settings = self.settings
        words = {
            "version": __version__,
            "look": settings.look,
            "strength": f"{settings.strength:g}",
            "invent": "yes" if settings.invent else "no",
            "peak": f"{settings.peak_nits:g}",
            "white": f"{settings.white_nits:g}",
            "threshold": "auto" if settings.threshold is None else f"{settings.threshold:g}",
            "work-size": f"{settings.work_size:g}",
            "precision": self.precision,
        }
        words |= {f"weights-{role}": net.sha256[:12] for role, net in self._nets.items()}
        return words | ({"source": digest} if digest else {})

    def _infer(
        self, nets: Nets, small: torch.Tensor, base: torch.Tensor, soft: torch.Tensor, run: "_Run"
    ) -> tuple[inplace.Lookup, FloatArray | None]:
        """What the nets say, from the signal at the working size, its base layer and the mask, all (1, 3, h, w).

        Returns
        -------
        curve : signal -> light, the picture's tone curve
        residual : (3, h, w) PQ, what is added to the picture under that curve; None for nothing
        """
        base_net: Any = nets["base"].net
        run.show(signal=small, base=base, mask=soft)
        with run.stage("base"):
            hdr_base, knots = base_net(base, small, soft)
            knots = torch.where(knots.abs().amax() < NOTHING, torch.zeros_like(knots), knots)
            curve = _light(base_net, knots)
            mapped, mapped_base = (_mapped(signal, curve) for signal in (small, base))
            detail = mapped / mapped_base
            run.show(curve=knots, hdr_base=hdr_base, mapped=mapped, detail=detail)
        if "detail" in nets:
            with run.stage("detail"):
                if self.settings.look == "display":
                    mapped_base = base_net.mapped(base, torch.zeros_like(knots))
                invented = nets["detail"].net(detail, soft)
                detail = mask.only_raised(soft, invented, detail, hdr_base, mapped_base)
                run.show(hdr_detail=detail)
        with run.stage("refine"):
            joined = hdr_base * detail
            display = self.settings.look == "display"
            plain = _mapped(small, inplace.srgb_light()) if display else mapped
            refined = order.raise_cores(nets["refine"].net(joined, mapped, soft), plain, small)
            residual = refined - mapped
            residual[residual.abs() < NOTHING] = 0
            run.show(joined=joined, refined=refined, residual=residual)
        if not torch.isfinite(residual).all():
            folder = nets["base"].path.parent
            raise WeightsError(
                f"{folder}: these nets give numbers that are not finite; install sdr2hdr again"
            )
        return curve, residual[0].cpu().numpy() if residual.any() else None

    def _full_size(
        self, signal: FloatArray, small: torch.Tensor, curve: inplace.Lookup, residual: FloatArray | None
    ) -> render.Rendered:
        carried: render.Carried | None = None
        if residual is not None:
            carried = _carried(residual, signal, small)
        settings = self.settings
        return render.render(
            signal,
            curve,
            carried,
            settings.strength,
            settings.white_nits,
            settings.peak_nits,
            keep_colour=settings.look == "display",
        )


@dataclass
class _Run:
    """One conversion: who listens, and the seconds of its stages."""

    observe: Observe | None
    progress: Progress | None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if self.progress:
            self.progress(name)
        begun = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begun

    def show(self, **values: torch.Tensor) -> None:
        if self.observe:
            for name, value in values.items():
                self.observe(name, value)


def _carried(residual: FloatArray, signal: FloatArray, small: torch.Tensor) -> render.Carried:
    """The residual (3, h, w) by rows of the full size; as it is where that is the working size."""
    if residual.shape == signal.shape:
        return lambda source, rows: residual[:, rows]
    variance = scale.variance(signal, (residual.shape[1], residual.shape[2]))
    size = (signal.shape[1], signal.shape[2])
    return Carrier(residual, small[0].numpy(), variance, size).rows


def _mapped(signal: torch.Tensor, curve: inplace.Lookup) -> torch.Tensor:
    """`render.mapped` for a tensor (1, 3, h, w) on any device: the full size and the nets meet the same numbers."""
    return torch.from_numpy(render.mapped(signal[0].cpu().numpy(), curve))[None].to(signal.device)


def _light(base_net: Any, knots: torch.Tensor) -> inplace.Lookup:
    """The picture's tone curve as a table: signal -> linear light in BT.709 primaries, 1.0 = SDR white.

    `mapped` is pointwise, and its curve acts per channel on BT.709 light; so a grey ramp tells all of it, and the
    full-size picture needs no PQ to go through the curve.
    """
    if not knots.any():
        return inplace.srgb_light()
    ramp = torch.linspace(0, 1, CODES, device=knots.device).expand(1, 3, 1, CODES)
    wide = pq_decode(base_net.mapped(ramp, knots)[0, :, 0].cpu().double()).numpy()
    return inplace.Lookup((table("bt2020_to_bt709") @ wide / SDR_WHITE_NITS).clip(min=0).astype(np.float32))
