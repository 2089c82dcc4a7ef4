// Draws what webgl.js draws, pixel by pixel, for browsers without WebGL2.
const SIGNAL = 4096; // entries of the table from the square root of light to the sRGB code
function canvasRenderer(canvas, data) {
  const context = canvas.getContext("2d", { alpha: false });
  const image = context.createImageData(width, height);
  const out = new Uint32Array(image.data.buffer);
  const linear = Float32Array.from({ length: 256 }, (_, code) => decode(code / 255));
  const signal = Uint8Array.from({ length: SIGNAL + 1 }, (_, i) => Math.round(255 * encode((i / SIGNAL) ** 2)));
  const little = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
  const packed = (r, g, b) => (little ? (255 << 24) | (b << 16) | (g << 8) | r : (r << 24) | (g << 16) | (b << 8) | 255) >>> 0;
  const code = (light) => signal[Math.round(SIGNAL * Math.sqrt(Math.min(Math.max(light, 0), 1)))];
  const heatOf = (nits) => packed(...heat.colors.subarray(3 * entry(nits), 3 * entry(nits) + 3));
  const [mr, mg, mb] = meta.narrow;
  const [kr, kg, kb] = meta.luma2020;
  const [lr, lg, lb] = meta.luma709;

  const before = (i, state) => {
    const [r, g, b] = [linear[data.sdr[4 * i]], linear[data.sdr[4 * i + 1]], linear[data.sdr[4 * i + 2]]];
    if (state.view === "false") return heatOf(white * (lr * r + lg * g + lb * b));
    return packed(code(r * state.gain), code(g * state.gain), code(b * state.gain));
  };
  const after = (i, state) => {
    const r = data.levels[data.codes[3 * i]];
    const g = data.levels[data.codes[3 * i + 1]];
    const b = data.levels[data.codes[3 * i + 2]];
    if (state.view === "false") return heatOf(kr * r + kg * g + kb * b);
    const gain = state.gain / white;
    const red = Math.max(0, gain * (mr[0] * r + mr[1] * g + mr[2] * b));
    const green = Math.max(0, gain * (mg[0] * r + mg[1] * g + mg[2] * b));
    const blue = Math.max(0, gain * (mb[0] * r + mb[1] * g + mb[2] * b));
    const largest = Math.max(red, green, blue);
    const scale = state.view === "tone" && largest > 0 ? toned(largest, state.peak) / largest : 1;
    return packed(code(scale * red), code(scale * green), code(scale * blue));
  };
  return (state) => {
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) out[i] = x < state.split ? before(i, state) : after(i, state);
    }
    context.putImageData(image, 0, 0);
  };
}
