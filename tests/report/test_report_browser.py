"""The pages in a browser: what is seen, what sliders and keys do, and that nothing leaves the page."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from browsing import HEIGHT, WIDTH, Browser, Known

import sdr2hdr
from sdr2hdr.color.tables import table
from sdr2hdr.drawing import false_color
from sdr2hdr.image import SDR_WHITE_NITS, HdrImage
from sdr2hdr.report.index import entry, index
from sdr2hdr.report.page import page
from sdr2hdr.report.subject import compared

RENDERERS = ("webgl2", "2d")
TOLERANCE = 0.0025  # half a 12-bit PQ code, which is widest at 1 cd/m2 of what is above


def encoded(light: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """BT.2020 light (3, H, W), 1.0 = white -> sRGB codes (H, W, 3), clipped as an SDR screen does."""
    narrow = np.einsum("dc,chw->hwd", table("bt2020_to_bt709"), light).clip(0, 1)
    return 255 * np.where(narrow <= 0.0031308, 12.92 * narrow, 1.055 * narrow ** (1 / 2.4) - 0.055)


def luminance(nits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Of BT.2020 light."""
    return np.einsum("c,c...->...", table("bt2020_to_xyz")[1].astype(np.float32), nits)


def quiet(browser: Browser) -> None:
    """The console is empty, and the page has asked nobody for anything."""
    assert browser.logs() == []
    assert [
        url for url in browser.requests if not url.startswith(("file:", "data:", "blob:", "about:"))
    ] == []
    assert len([url for url in browser.requests if url.startswith("file:")]) == 1, "the page itself"


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("stops", [0, -3, 2.5])
def test_clipped_view_is_the_light_at_that_exposure(
    browser: Browser, known: Known, renderer: str, stops: float
) -> None:
    browser.open(known.path, f"#view=clip&split=0&stops={stops}&renderer={renderer}")
    assert browser.run("return document.getElementById('view').dataset.renderer") == renderer
    wanted = encoded(known.nits / np.float32(SDR_WHITE_NITS) * np.float32(2**stops))
    assert np.abs(browser.pixels() - wanted).max() <= 1.5
    quiet(browser)


@pytest.mark.parametrize("renderer", RENDERERS)
def test_false_colours_are_those_of_the_drawings(browser: Browser, known: Known, renderer: str) -> None:
    browser.open(known.path, f"#view=false&split=0&renderer={renderer}")
    shown = browser.pixels().astype(int)
    exact = false_color.position(luminance(known.nits)) * (false_color.ENTRIES - 1)
    colors = false_color.colors().astype(int)
    near = [np.clip(np.rint(exact + off), 0, 255).astype(int) for off in (-0.6, 0, 0.6)]  # PQ codes round
    assert np.min([np.abs(shown - colors[n]).max(-1) for n in near], axis=0).max() == 0
    assert browser.run("return document.getElementById('legend').offsetHeight") > 20


@pytest.mark.parametrize("renderer", RENDERERS)
def test_the_left_side_is_the_sdr_picture(browser: Browser, known: Known, renderer: str) -> None:
    browser.open(known.path, f"#view=tone&split=100&renderer={renderer}")
    decoded = np.array(
        browser.run(
            "const b = document.getElementById('before'), c = document.createElement('canvas');"
            "c.width = b.naturalWidth; c.height = b.naturalHeight; const x = c.getContext('2d'); x.drawImage(b, 0, 0);"
            "return Array.from(x.getImageData(0, 0, c.width, c.height).data)"
        )
    ).reshape(HEIGHT, WIDTH, 4)[..., :3]
    assert np.abs(browser.pixels().astype(int) - decoded).max() <= 1
    assert np.median(np.abs(decoded - known.codes.astype(int))) <= 4, "JPEG of noise"


def test_both_renderers_draw_the_same(browser: Browser, known: Known) -> None:
    seen = []
    for renderer in RENDERERS:
        browser.open(known.path, f"#view=tone&split=30&stops=1&renderer={renderer}")
        seen.append(browser.pixels().astype(int))
    assert np.abs(seen[0] - seen[1]).max() <= 1
    tone = seen[0][:, WIDTH // 2 :]
    assert tone.max() > 250
    assert np.mean(tone.min(-1) == 255) < 0.01, "nothing but the brightest is clipped"


def test_probe_reads_the_files_own_values(browser: Browser, known: Known) -> None:
    browser.open(known.path)
    for x, y in ((0, 0), (1, 0), (30, 20), (17, 31), (WIDTH - 1, HEIGHT - 1), (50, 3)):
        browser.run(
            "const b = document.getElementById('before').getBoundingClientRect();"
            "document.getElementById('stage').dispatchEvent(new MouseEvent('click', {bubbles: true,"
            f"clientX: b.left + b.width * {(x + 0.5) / WIDTH}, clientY: b.top + b.height * {(y + 0.5) / HEIGHT}}}))"
        )
        browser.settle()
        assert browser.run("return document.getElementById('where').textContent") == f"{x}, {y}"
        hdr, sdr = (
            float(browser.run(f"return document.getElementById('{side}-nits').dataset.exact"))
            for side in ("hdr", "sdr")
        )
        truth = float(luminance(known.nits[:, y, x]))
        assert hdr == pytest.approx(truth, rel=TOLERANCE, abs=0.002)
        assert 0 <= sdr <= SDR_WHITE_NITS * 1.0001
        if truth:
            said = browser.run("return document.getElementById('hdr-stops').textContent").replace("−", "-")
            assert float(said) == pytest.approx(np.log2(truth / SDR_WHITE_NITS), abs=0.01)
        shown = browser.run("return document.getElementById('hdr-light').textContent").split()
        assert [float(word) for word in shown] == pytest.approx(
            known.nits[:, y, x].tolist(), rel=0.012, abs=0.01
        )


def test_keys_move_sliders_views_and_the_pixel(browser: Browser, known: Known) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser.open(known.path)
    find = browser.driver.find_element
    find(By.ID, "stops").send_keys(Keys.ARROW_LEFT * 3)
    find(By.ID, "split").send_keys(Keys.ARROW_RIGHT * 2)
    browser.settle()
    assert browser.run("return document.getElementById('stops-out').textContent") == "−0.3 stops"
    assert find(By.ID, "stops").get_attribute("aria-valuetext") == "−0.3 stops"
    assert find(By.ID, "split").get_attribute("aria-valuetext") == "52 % SDR, 48 % HDR"
    assert browser.run("return document.getElementById('divider').style.left") == "52%"
    find(By.ID, "stops").send_keys(Keys.HOME)
    browser.settle()
    assert browser.run("return document.getElementById('stops-out').textContent") == "−6.0 stops"

    find(By.CSS_SELECTOR, "[value=tone]").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    browser.settle()
    assert browser.run("return document.getElementById('stage').dataset.drawn").startswith("false 52 -6")
    assert find(By.ID, "stops").get_attribute("disabled"), "false colours do not depend on the exposure"

    stage = find(By.ID, "stage")
    stage.send_keys(Keys.ARROW_RIGHT)  # the first key puts the mark into the middle
    stage.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    browser.settle()
    assert (
        browser.run("return document.getElementById('where').textContent")
        == f"{WIDTH // 2 + 1}, {HEIGHT // 2 + 2}"
    )
    stage.send_keys("b")
    browser.settle()
    assert browser.run("return document.getElementById('where').textContent") == "30, 20"
    browser.until("document.getElementById('said').textContent.includes('10000')")
    quiet(browser)


def test_every_control_has_a_name_and_a_ring(browser: Browser, known: Known) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser.open(known.path)
    body = browser.driver.find_element(By.TAG_NAME, "body")
    met = []
    for _ in range(5):
        (body if not met else browser.driver.switch_to.active_element).send_keys(Keys.TAB)
        active = browser.driver.switch_to.active_element
        met.append(active.get_attribute("id") or active.get_attribute("value"))
        assert active.accessible_name
        ring = "const a = document.activeElement, e = a.type === 'radio' ? a.nextElementSibling : a;"
        assert browser.run(f"{ring} return getComputedStyle(e).outlineStyle") == "solid"
        assert browser.run(f"{ring} return parseFloat(getComputedStyle(e).outlineWidth)") >= 2
    assert met == ["stage", "tone", "split", "stops", "brightest"]


def test_pointer_drags_the_divider_and_the_sliders(browser: Browser, known: Known) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    browser.open(known.path)
    width = browser.run("return document.getElementById('before').getBoundingClientRect().width")
    divider = browser.driver.find_element(By.ID, "divider")
    ActionChains(browser.driver).drag_and_drop_by_offset(divider, -round(width / 4), 0).perform()
    browser.settle()
    assert int(browser.run("return document.getElementById('split').value")) == pytest.approx(25, abs=1)
    assert browser.run("return document.getElementById('where').textContent") != "none yet", (
        "it was pointed at"
    )
    slider = browser.driver.find_element(By.ID, "stops")
    reach = slider.size["width"]
    ActionChains(browser.driver).drag_and_drop_by_offset(slider, -round(reach / 4), 0).perform()
    browser.settle()
    assert float(browser.run("return document.getElementById('stops').value")) == pytest.approx(-3, abs=0.25)
    assert browser.run("return document.getElementById('stage').dataset.drawn").startswith("tone 2")


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_need_not_scroll_sideways(browser: Browser, known: Known, width: int) -> None:
    browser.size(width)
    for view in ("tone", "false"):
        browser.open(known.path, f"#view={view}")
        browser.run("document.getElementById('brightest').click()")
        browser.settle()
        assert browser.run("return document.documentElement.scrollWidth") <= width
    small = "return [...document.querySelectorAll('button, .views label, input[type=range]')].map(e => e.offsetHeight)"
    assert min(browser.run(small)) >= 40, "wide enough for a thumb"


def contrast(browser: Browser, selector: str) -> float:
    """WCAG 2.2 contrast of a text against the page."""

    def level(words: str) -> float:
        codes = np.array([float(word) for word in words[words.index("(") + 1 : -1].split(",")[:3]]) / 255
        return float(
            np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
            @ [0.2126, 0.7152, 0.0722]
        )

    ink = level(browser.run(f"return getComputedStyle(document.querySelector('{selector}')).color"))
    paper = level(browser.run("return getComputedStyle(document.body).backgroundColor"))
    return (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05)


def test_dark_and_light_are_both_legible(browser: Browser, known: Known) -> None:
    papers = []
    for scheme in ("light", "dark"):
        browser.media(prefers_color_scheme=scheme)
        browser.open(known.path)
        papers.append(browser.run("return getComputedStyle(document.body).backgroundColor"))
        for selector in ("h1", ".lead", ".hint", ".card th", "footer"):
            assert contrast(browser, selector) >= 4.5, (scheme, selector)
    assert papers[0] != papers[1]


def test_print_leaves_out_what_paper_cannot_do(browser: Browser, known: Known) -> None:
    browser.media("print", prefers_color_scheme="dark")
    browser.open(known.path)
    assert browser.run("return document.getElementById('controls').offsetHeight") == 0
    assert browser.run("return document.getElementById('view').offsetHeight") > 100
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert contrast(browser, ".card th") > 7


def test_without_scripts_there_is_the_picture(browser: Browser, known: Known) -> None:
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(known.path, wait=False)
        shown = browser.command("DOM.getDocument", depth=-1)["root"]["nodeId"]
        picture = browser.command("DOM.querySelector", nodeId=shown, selector="#before")["nodeId"]
        assert browser.command("DOM.getBoxModel", nodeId=picture)["model"]["height"] > 30
        words = browser.command("DOM.querySelector", nodeId=shown, selector="noscript p")["nodeId"]
        assert "JavaScript" in browser.command("DOM.getOuterHTML", nodeId=words)["outerHTML"]
        assert browser.command("DOM.getBoxModel", nodeId=words)["model"]["height"] > 10
    finally:
        browser.command("Emulation.setScriptExecutionDisabled", value=False)


def test_lost_context_goes_on_pixel_by_pixel(browser: Browser, known: Known) -> None:
    browser.open(known.path, "#view=clip&split=0")
    before = browser.pixels().astype(int)
    browser.run(
        "document.getElementById('view').getContext('webgl2').getExtension('WEBGL_lose_context').loseContext()"
    )
    browser.until("document.getElementById('view').dataset.renderer === '2d'")
    assert np.abs(browser.pixels() - before).max() <= 1


def test_damaged_light_is_said_and_the_picture_stays(browser: Browser, known: Known, tmp_path: Path) -> None:
    text = known.path.read_text("utf-8")
    at = text.index('id="codes">') + len('id="codes">')
    (tmp_path / "cut.html").write_text(text[: at + 400] + text[text.index("<", at) :], "utf-8")
    browser.open(tmp_path / "cut.html", wait=False)
    browser.until("document.getElementById('status').textContent.startsWith('The light cannot be shown')")
    assert browser.run("return document.getElementById('before').offsetHeight") > 30


def test_names_and_words_of_files_stay_words(browser: Browser, known: Known, tmp_path: Path) -> None:
    evil = "<img src=x onerror=document.evil=1>\"'&lt;<script>$title ${x}"
    sdr, hdr = tmp_path / f"{evil}.png", tmp_path / f"{evil}.exr"
    sdr.write_bytes(known.sdr.read_bytes())
    light = np.ascontiguousarray(known.nits / np.float32(SDR_WHITE_NITS))
    sdr2hdr.write(hdr, HdrImage(light, recipe={"look": "</script><script>document.evil=1</script>"}))
    subject = compared(sdr, hdr)
    place, listing = tmp_path / "a folder" / f"{evil}.png.html", tmp_path / "index.html"
    place.parent.mkdir()
    place.write_bytes(page(subject, "../index.html"))
    listing.write_bytes(index([entry(subject, place, listing)], [f"{evil}: failed"]))

    browser.open(listing, wait=False)
    assert browser.run("return document.querySelector('.pictures strong').textContent") == sdr.name
    assert browser.run("return document.querySelectorAll('script, img:not(.pictures img)').length") == 0
    assert browser.run("return document.querySelector('.pictures img').naturalWidth") == WIDTH
    quiet(browser)
    browser.run("document.querySelector('.pictures a').click()")
    browser.until("document.getElementById('stage')?.dataset.drawn")
    assert browser.run("return document.querySelector('h1').textContent") == sdr.name
    assert browser.run("return document.title").startswith(sdr.name)
    assert "</script><script>document.evil=1</script>" in browser.run("return document.body.innerText")
    assert browser.run("return document.evil") is None
    assert browser.run("return document.scripts.length") == 3
    assert browser.logs() == []
    browser.run("document.querySelector('.back a').click()")
    browser.until("document.querySelector('.pictures')")


def test_an_hdr_screen_gets_the_light_itself(start_browser: Callable[..., Browser], known: Known) -> None:
    browser = start_browser("--force-color-profile=hdr10")
    browser.open(known.path)
    assert browser.run("return matchMedia('(dynamic-range: high)').matches")
    assert browser.run("return document.getElementById('stage').dataset.drawn").startswith("hdr")
    assert browser.run("return document.getElementById('view').offsetHeight") == 0
    assert browser.run("return document.getElementById('after').naturalWidth") == WIDTH
    assert (
        browser.run("return getComputedStyle(document.getElementById('after')).dynamicRangeLimit")
        == "no-limit"
    )
    assert browser.run("return document.getElementById('after').style.clipPath") == "inset(0px 0px 0px 50%)"
    quiet(browser)


def test_the_picture_of_the_page_is_a_gain_map_jpeg_of_the_same_light(known: Known, tmp_path: Path) -> None:
    import base64

    text = known.path.read_text("utf-8")
    data = text.split('src="data:image/jpeg;base64,', 1)[1].split('"', 1)[0]
    (tmp_path / "real.jpg").write_bytes(base64.b64decode(data))
    seen = sdr2hdr.formats.examine(tmp_path / "real.jpg")
    assert seen.signalling.headroom
    assert float(seen.light.max()) * SDR_WHITE_NITS > 5000
    assert cv2.imread(str(tmp_path / "real.jpg")).shape == (HEIGHT, WIDTH, 3)
