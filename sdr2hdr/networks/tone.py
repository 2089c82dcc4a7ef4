"""The direct mapping D and a picture's tone curve, as a scriptable module: SDR signal -> PQ.

D(S) is ITU-R BT.2408's mapping for display light: sRGB decoding, white at 203 cd/m2, BT.709 -> BT.2020, PQ. The tone
curve acts between: per channel, in PQ, on the light in BT.709 primaries, where a camera's response acted.
"""

import torch
from torch import nn

from sdr2hdr.color.tables import table
from sdr2hdr.color.transfer import pq_decode_with, pq_encode_with
from sdr2hdr.image import SDR_WHITE_NITS

KNOTS = 17  # of the tone curve, evenly spaced in the SDR signal


class Tone(nn.Module):
    """Pointwise maps from the SDR signal; it holds no weights."""

    def __init__(self) -> None:
        super().__init__()
        self.white = SDR_WHITE_NITS
        self.intervals = KNOTS - 1
        self.m1, self.m2, self.c1, self.c2, self.c3 = [float(v) for v in table("pq")]
        self.register_buffer("to_2020", torch.from_numpy(table("bt709_to_bt2020")).float(), persistent=False)
        self.register_buffer("to_709", torch.from_numpy(table("bt2020_to_bt709")).float(), persistent=False)
        self.register_buffer("positions", torch.zeros(KNOTS), persistent=False)
        self.positions = self.direct(torch.linspace(0, 1, KNOTS))

    def encode(self, nits: torch.Tensor) -> torch.Tensor:
        """cd/m2 -> PQ."""
        return pq_encode_with(nits, self.m1, self.m2, self.c1, self.c2, self.c3)

    def decode(self, signal: torch.Tensor) -> torch.Tensor:
        """PQ -> cd/m2."""
        return pq_decode_with(signal, self.m1, self.m2, self.c1, self.c2, self.c3)

    def direct(self, signal: torch.Tensor) -> torch.Tensor:
        """SDR signal [0, 1] -> PQ of its light in BT.709 primaries, any shape (IEC 61966-2-1, then ST 2084)."""
        linear = torch.where(
            signal <= 0.04045, signal / 12.92, ((signal.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
        )
        return self.encode(self.white * linear)

    def curve(self, signal: torch.Tensor, knots: torch.Tensor) -> torch.Tensor:
        """SDR signal (N, 3, H, W), knots (N, 3, 17) -> PQ in BT.709 primaries.

        The curve is the direct mapping x plus offsets, linear in x between the knots at x = direct(k / 16).
        """
        x = self.direct(signal)
        if not knots.requires_grad and not bool(knots.any()):
            return x
        at = signal.clamp(0, 1) * self.intervals
        low = at.floor().clamp(max=self.intervals - 1).long()
        n, c, height, width = signal.shape
        flat = low.reshape(n, c, height * width)
        r0 = torch.gather(knots, 2, flat).view_as(x)
        r1 = torch.gather(knots, 2, flat + 1).view_as(x)
        x0, x1 = self.positions[low], self.positions[low + 1]
        return (x + torch.lerp(r0, r1, (x - x0) / (x1 - x0))).clamp(0, 1)

    def wide(self, pq: torch.Tensor) -> torch.Tensor:
        """PQ in BT.709 primaries -> PQ in BT.2020 primaries, (N, 3, H, W)."""
        return self.encode(torch.einsum("dc,nchw->ndhw", self.to_2020, self.decode(pq)))

    def narrow(self, pq: torch.Tensor) -> torch.Tensor:
        """PQ in BT.2020 primaries -> PQ in BT.709 primaries, (N, 3, H, W); what lies outside BT.709 is clipped."""
        return self.encode(torch.einsum("dc,nchw->ndhw", self.to_709, self.decode(pq)))

    def forward(self, signal: torch.Tensor, knots: torch.Tensor) -> torch.Tensor:
        """SDR signal (N, 3, H, W), knots (N, 3, 17) -> D'(signal), PQ in BT.2020 primaries."""
        return self.wide(self.curve(signal, knots))
