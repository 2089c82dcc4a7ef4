"""A window of headless Chromium, and a page whose picture is known."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

HEIGHT, WIDTH = 45, 61  # odd, so that rows of bytes are not aligned

STATUS = "return document.getElementById('status')?.textContent"
CANVAS = """
const view = document.getElementById("view");
const copy = Object.assign(document.createElement("canvas"), { width: view.width, height: view.height });
const context = copy.getContext("2d");
context.drawImage(view, 0, 0);
return Array.from(context.getImageData(0, 0, view.width, view.height).data);
"""


@dataclass
class Browser:
    """One window; `open` shows a file and waits until the page has drawn itself."""

    driver: Any
    requests: list[str] = field(default_factory=list)

    def open(self, path: Path, fragment: str = "", wait: bool = True) -> None:
        """Show a file. What the page before it has said is forgotten."""
        self.logs()
        self.driver.get("about:blank")
        self.driver.get(path.as_uri() + fragment)
        if wait:
            self.until("document.getElementById('stage').dataset.drawn")

    def run(self, script: str, *words: Any) -> Any:
        """What a script returns."""
        return self.driver.execute_script(script, *words)

    def until(self, condition: str, seconds: float = 20) -> None:
        """Wait for a JavaScript expression to become true."""
        end = time.monotonic() + seconds
        while not self.run(f"return Boolean({condition})"):
            assert time.monotonic() < end, (
                f"waited {seconds} s for {condition}: {self.run(STATUS)} {self.logs()}"
            )
            time.sleep(0.02)

    def settle(self) -> None:
        """Wait for what a change draws."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))"
        )

    def command(self, name: str, **words: Any) -> Any:
        """A command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, words)

    def size(self, width: int, height: int = 844) -> None:
        """Make the window this large."""
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 500,
        )  # fmt: skip

    def media(self, media: str = "", **features: str) -> None:
        """Media type and features, e.g. prefers_color_scheme="dark"."""
        named = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.command("Emulation.setEmulatedMedia", media=media, features=named)

    def logs(self) -> list[str]:
        """What the console has said since it was last asked; addresses that were asked for go to `requests`."""
        self.requests = []
        for line in self.driver.get_log("performance"):
            message = json.loads(line["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
        return [line["message"] for line in self.driver.get_log("browser")]

    def pixels(self) -> npt.NDArray[np.uint8]:
        """The canvas, (H, W, 3)."""
        self.settle()
        values = self.run(CANVAS)
        return np.array(values, np.uint8).reshape(HEIGHT, WIDTH, 4)[..., :3]


@dataclass(frozen=True)
class Known:
    """A page, and what is in it: light (3, H, W) in cd/m2 as the HDR file has it, SDR codes (H, W, 3)."""

    path: Path
    sdr: Path
    hdr: Path
    nits: npt.NDArray[np.float32]
    codes: npt.NDArray[np.uint8]
