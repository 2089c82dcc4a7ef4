"""Matrices against the numbers printed in ITU-R BT.2087 and BT.2020."""

import numpy as np
import torch

from sdr2hdr.color import gamut
from sdr2hdr.color.tables import table

BT2087 = [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]  # clause 2, M2
BT2020_Y = [0.2627, 0.6780, 0.0593]  # ITU-R BT.2020-2, table 4


def test_matrix_as_printed() -> None:
    np.testing.assert_allclose(table("bt709_to_bt2020"), BT2087, atol=5.1e-5)


def test_convert_is_the_matrix_pixel_by_pixel() -> None:
    light = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(3))
    out = gamut.convert(light, "bt709_to_bt2020")
    for n in range(2):
        for y in range(4):
            for x in range(5):
                expected = table("bt709_to_bt2020") @ light[n, :, y, x].double().numpy()
                np.testing.assert_allclose(out[n, :, y, x].numpy(), expected, atol=1e-6)


def test_there_and_back() -> None:
    light = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(4))
    back = gamut.convert(gamut.convert(light, "bt709_to_bt2020"), "bt2020_to_bt709")
    torch.testing.assert_close(back, light, atol=2e-6, rtol=0)


def test_luminance_as_printed() -> None:
    primaries = torch.eye(3).reshape(3, 3, 1)  # (channel, row, column): row r holds the primary r
    np.testing.assert_allclose(gamut.luminance(primaries)[:, 0].numpy(), BT2020_Y, atol=5.1e-5)
    assert gamut.luminance(torch.rand(2, 3, 6, 7)).shape == (2, 6, 7)
