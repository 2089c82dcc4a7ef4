"""A headless Chromium, and a page of a small picture whose light is known."""

import contextlib
import shutil
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from browsing import HEIGHT, WIDTH, Browser, Known

import sdr2hdr
from sdr2hdr.image import SDR_WHITE_NITS, HdrImage
from sdr2hdr.report.page import page
from sdr2hdr.report.subject import compared

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--hide-scrollbars",
    "--window-size=1280,900",
)


@pytest.fixture(scope="session")
def start_browser() -> Iterator[Callable[..., Browser]]:
    """Starts Chromium with further flags."""
    selenium = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not chromedriver:
        pytest.skip("needs chromium and chromium-driver")
    with contextlib.ExitStack() as ends:

        def start(*flags: str) -> Browser:
            options = selenium.ChromeOptions()
            options.binary_location = chromium
            for flag in (*FLAGS, *flags):
                options.add_argument(flag)
            options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
            driver = selenium.Chrome(options=options, service=selenium.ChromeService(chromedriver))
            ends.callback(driver.quit)
            return Browser(driver)

        yield start


@pytest.fixture(scope="session")
def chromium(start_browser: Callable[..., Browser]) -> Browser:
    """The window that most tests share."""
    return start_browser()


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """The shared window, as it was at first."""
    chromium.size(1280, 900)
    chromium.media(prefers_color_scheme="light")
    return chromium


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """From 0 to 10000 cd/m2, coloured; the SDR picture is what clipping leaves of it."""
    folder = tmp_path_factory.mktemp("report")
    rng = np.random.default_rng(3)
    x, y = np.meshgrid(np.linspace(0, 1, WIDTH), np.linspace(0, 1, HEIGHT))
    level = 0.02 * (10000 / 203 / 0.02) ** x * (1 - 0.5 * y)
    light = (level * rng.uniform(0.6, 1, (3, HEIGHT, WIDTH))).astype(np.float32)
    light[:, 0, 0], light[:, 0, 1], light[:, 20, 30] = 0, 1, 10000 / 203
    codes = np.rint(255 * np.clip(light, 0, 1) ** (1 / 2.2)).astype(np.uint8).transpose(1, 2, 0)
    sdr, hdr = folder / "known.png", folder / "known.exr"
    assert cv2.imwrite(str(sdr), codes[..., ::-1])
    sdr2hdr.write(hdr, HdrImage(light, recipe={"look": "scene", "peak": "10000"}))
    nits = sdr2hdr.formats.examine(hdr).light * np.float32(SDR_WHITE_NITS)
    path = folder / "known.html"
    path.write_bytes(page(compared(sdr, hdr)))
    return Known(path, sdr, hdr, nits, codes)
