// Sliders, views, probe. `state` is all that there is; `draw` shows it.
const state = { view: "tone", split: 50, stops: 0, pixel: null, held: false };
const stage = $("stage");
const screen = matchMedia("(dynamic-range: high)");
const HINTS = {
  tone: "What is brighter than half of SDR white is compressed until all of it fits an SDR screen.",
  clip: "What an SDR screen shows: all above SDR white is clipped. Lower the exposure to see the light up there.",
  false: "Colours tell the luminance; the scale is below the picture. The exposure does not count here.",
  hdr: "The real thing: your screen shows the light itself, as far as its brightness goes.",
};
const NO_HDR = " For “HDR screen”, open the page on a screen, and in a browser, that shows HDR.";
let canvas = null;
let render = null;
let data = null;
let waiting = 0;

const signed = (number, digits) => {
  const words = Math.abs(number).toFixed(digits);
  return (Number(words) === 0 ? "" : number < 0 ? "−" : "+") + words;
};
const figure = (nits) => (nits >= 100 ? nits.toFixed(0) : nits >= 10 ? nits.toFixed(1) : nits >= 0.1 ? nits.toFixed(2) : nits.toFixed(4));
const stopsOf = (nits) => (nits > 0 ? signed(Math.log2(nits / white), 2) : "−∞");
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

// WebGL2, or pixel by pixel; a canvas that has begun with WebGL stays with it, so every beginning takes a new one.
function start(withWebgl) {
  canvas?.remove();
  canvas = Object.assign(document.createElement("canvas"), { width, height, id: "view" });
  canvas.setAttribute("aria-hidden", "true");
  render = withWebgl ? webglRenderer(canvas, data) : canvasRenderer(canvas, data);
  if (!render) return start(false);
  canvas.dataset.renderer = withWebgl ? "webgl2" : "2d";
  canvas.addEventListener("webglcontextlost", () => { start(false); change({}); });
  $("after").after(canvas);
}

const asked = (key) => new URLSearchParams(location.hash.slice(1)).get(key);

function change(what) {
  Object.assign(state, what);
  if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; draw(); });
}

function draw() {
  const real = state.view === "hdr";
  $("split").value = state.split;
  $("split").setAttribute("aria-valuetext", `${state.split} % SDR, ${100 - state.split} % HDR`);
  $("split-out").textContent = `${state.split} %`;
  $("stops").value = state.stops;
  $("stops").disabled = real || state.view === "false";
  $("stops").setAttribute("aria-valuetext", `${signed(state.stops, 1)} stops`);
  $("stops-out").textContent = `${signed(state.stops, 1)} stops`;
  $("divider").style.left = `${state.split}%`;
  for (const radio of document.querySelectorAll("[name=view]")) {
    radio.checked = radio.value === state.view;
    if (radio.value === "hdr") radio.disabled = !screen.matches;
  }
  $("hint").textContent = HINTS[state.view] + (screen.matches ? "" : NO_HDR);
  $("legend").hidden = state.view !== "false";
  canvas.hidden = real;
  $("after").hidden = !real;
  $("after").style.clipPath = `inset(0 0 0 ${state.split}%)`;
  const gain = 2 ** state.stops;
  if (!real && render) {
    render({ view: state.view, split: Math.round((state.split / 100) * width), gain, peak: gain * meta.top });
  }
  showPixel();
  stage.dataset.drawn = `${state.view} ${state.split} ${state.stops}`;
}

function measured([x, y]) {
  const i = y * width + x;
  const code = data.codes.subarray(3 * i, 3 * i + 3);
  const light = Array.from(code, (c) => data.levels[c]);
  const sdrCode = data.sdr.subarray(4 * i, 4 * i + 3);
  const sdrLight = Array.from(sdrCode, (c) => white * decode(c / 255));
  return {
    sdr: { code: sdrCode, light: sdrLight, nits: dot(meta.luma709, sdrLight) },
    hdr: { code, light, nits: dot(meta.luma2020, light) },
  };
}

function showPixel() {
  $("mark").hidden = !state.pixel;
  if (!state.pixel) return;
  const [x, y] = state.pixel;
  $("mark").style.left = `${(100 * (x + 0.5)) / width}%`;
  $("mark").style.top = `${(100 * (y + 0.5)) / height}%`;
  $("mark").classList.toggle("held", state.held);
  $("where").textContent = `${x}, ${y}`;
  for (const [name, values] of Object.entries(measured(state.pixel))) {
    $(`${name}-nits`).textContent = figure(values.nits);
    $(`${name}-stops`).textContent = stopsOf(values.nits);
    $(`${name}-light`).textContent = values.light.map(figure).join(" ");
    $(`${name}-code`).textContent = Array.from(values.code).join(" ");
    $(`${name}-nits`).dataset.exact = values.nits;
  }
}

// Said aloud after keys only: a pointer would never be quiet.
let said = 0;
function say() {
  clearTimeout(said);
  said = setTimeout(() => {
    const { sdr, hdr } = measured(state.pixel);
    $("said").textContent = `Column ${state.pixel[0]}, row ${state.pixel[1]}: SDR ${figure(sdr.nits)}, HDR ${figure(hdr.nits)} candela per square metre, ${stopsOf(hdr.nits)} stops`;
  }, 400);
}

function pixelAt(event) {
  const box = $("before").getBoundingClientRect();
  const x = Math.floor(((event.clientX - box.left) / box.width) * width);
  const y = Math.floor(((event.clientY - box.top) / box.height) * height);
  return [Math.min(Math.max(x, 0), width - 1), Math.min(Math.max(y, 0), height - 1)];
}

function splitAt(event) {
  const box = $("before").getBoundingClientRect();
  return Math.min(100, Math.max(0, Math.round((100 * (event.clientX - box.left)) / box.width)));
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const step = STEPS[event.key];
  const [x, y] = state.pixel ?? [width >> 1, height >> 1];
  if (step) {
    const far = state.pixel ? (event.shiftKey ? 10 : 1) : 0;
    const to = [x + far * step[0], y + far * step[1]];
    change({ pixel: [Math.min(Math.max(to[0], 0), width - 1), Math.min(Math.max(to[1], 0), height - 1)], held: true });
  } else if (event.key.toLowerCase() === "b") change({ pixel: meta.brightest, held: true });
  else if (event.key === "Escape") return change({ held: false });
  else return;
  event.preventDefault();
  say();
}

function listen() {
  const divider = $("divider");
  $("split").addEventListener("input", () => change({ split: Number($("split").value) }));
  $("stops").addEventListener("input", () => change({ stops: Number($("stops").value) }));
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  for (const radio of document.querySelectorAll("[name=view]")) {
    radio.addEventListener("change", () => change({ view: radio.value }));
  }
  $("brightest").addEventListener("click", () => { change({ pixel: meta.brightest, held: true }); say(); });
  divider.addEventListener("pointerdown", (event) => { divider.setPointerCapture(event.pointerId); event.preventDefault(); });
  divider.addEventListener("pointermove", (event) => {
    if (divider.hasPointerCapture(event.pointerId)) change({ split: splitAt(event) });
  });
  divider.addEventListener("click", (event) => event.stopPropagation());
  stage.addEventListener("pointermove", (event) => {
    if (!state.held && event.pointerType !== "touch" && !event.buttons) change({ pixel: pixelAt(event) });
  });
  stage.addEventListener("click", (event) => change({ pixel: pixelAt(event), held: true }));
  stage.addEventListener("keydown", onKey);
  document.addEventListener("keydown", (event) => event.key === "Escape" && change({ held: false }));
  stage.addEventListener("dragstart", (event) => event.preventDefault());
  screen.addEventListener("change", () => change({ view: screen.matches ? "hdr" : state.view === "hdr" ? "tone" : state.view }));
  addEventListener("hashchange", fromHash);
  new ResizeObserver(() => stage.classList.toggle("large", stage.clientWidth > 2.5 * width)).observe(stage);
}

// #view=false&stops=-3&split=20 in the address: a link to what is meant.
function fromHash() {
  const view = asked("view");
  const number = (key, least, most) => (asked(key) === null ? state[key] : Math.min(most, Math.max(least, Number(asked(key)) || 0)));
  change({
    view: view in HINTS && (view !== "hdr" || screen.matches) ? view : state.view,
    stops: number("stops", -6, 6),
    split: number("split", 0, 100),
  });
}

function drawLegend() {
  const bar = $("legend").querySelector("canvas");
  bar.width = heat.colors.length / 3;
  const image = bar.getContext("2d").createImageData(bar.width, 1);
  for (let i = 0; i < bar.width; i++) image.data.set([...heat.colors.subarray(3 * i, 3 * i + 3), 255], 4 * i);
  bar.getContext("2d").putImageData(image, 0, 0);
  const label = (row, nits, words, kind) => {
    const span = Object.assign(document.createElement("span"), { textContent: words, className: kind });
    span.style.left = `${100 * place(nits)}%`;
    $("legend").querySelector(row).append(span);
  };
  for (const { nits, words, kind } of heat.marks) label(".nits", nits, words, kind);
  for (const { nits, words, kind } of heat.stops) label(".stops", nits, words, kind);
}

async function main() {
  $("after").src = $("before").src;
  stage.style.setProperty("--aspect", width / height);
  $("status").textContent = "Unpacking the light …";
  const [codes, sdr] = await Promise.all([unpackedCodes(), sdrCodes()]);
  data = { codes, sdr, levels: pqLevels() };
  start(asked("renderer") !== "2d");
  listen();
  drawLegend();
  stage.tabIndex = 0;
  stage.classList.add("live");
  $("controls").hidden = $("probe").hidden = false;
  $("status").textContent = "";
  if (screen.matches) state.view = "hdr";
  fromHash();
}

main().catch((error) => {
  $("status").textContent = `The light cannot be shown: ${error.message}. The picture above is the SDR one.`;
  throw error;
});
