// What the page holds: light as codes (see codes.py), the SDR picture, and what the numbers stand for.
const $ = (id) => document.getElementById(id);
const meta = JSON.parse($("meta").textContent);
const { width, height, white } = meta;

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

async function inflated(bytes) {
  if (!window.DecompressionStream) throw new Error("this browser is too old to unpack the light");
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// One plane: undo the folding of differences, and the median predictor.
function plane(bytes, which) {
  const size = width * height;
  const low = which * size;
  const high = (which + 3) * size;
  const values = new Int16Array(size);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const folded = bytes[low + i] | (bytes[high + i] << 8);
      const difference = folded & 1 ? -((folded + 1) >> 1) : folded >> 1;
      let guess = 0;
      if (y === 0) guess = x ? values[i - 1] : 0;
      else if (x === 0) guess = values[i - width];
      else {
        const left = values[i - 1];
        const above = values[i - width];
        const slope = left + above - values[i - width - 1];
        guess = Math.max(Math.min(left, above), Math.min(Math.max(left, above), slope));
      }
      values[i] = guess + difference;
    }
  }
  return values;
}

// PQ codes, R G B of every pixel, rows from the top.
async function unpackedCodes() {
  const bytes = await inflated(bytesOf($("codes").textContent));
  if (bytes.length !== 6 * width * height) throw new Error("the light in this page is incomplete");
  const [green, red, blue] = [0, 1, 2].map((which) => plane(bytes, which));
  const codes = new Uint16Array(3 * width * height);
  for (let i = 0; i < green.length; i++) {
    codes[3 * i] = red[i] + green[i];
    codes[3 * i + 1] = green[i];
    codes[3 * i + 2] = blue[i] + green[i];
  }
  return codes;
}

// cd/m2 of every code: SMPTE ST 2084, 5.1.
function pqLevels() {
  const [m1, m2, c1, c2, c3] = meta.pq;
  const top = 2 ** meta.bits - 1;
  return Float32Array.from({ length: top + 1 }, (_, code) => {
    const signal = (code / top) ** (1 / m2);
    return 10000 * (Math.max(signal - c1, 0) / (c2 - c3 * signal)) ** (1 / m1);
  });
}

// sRGB, IEC 61966-2-1.
const decode = (signal) => (signal <= 0.04045 ? signal / 12.92 : ((signal + 0.055) / 1.055) ** 2.4);
const encode = (light) => (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055);

// The SDR picture's 8-bit codes, R G B A; nothing matches them to a screen.
async function sdrCodes() {
  const source = $("before").src;
  const bytes = bytesOf(source.slice(source.indexOf(",") + 1));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }), {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  });
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true, alpha: false });
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height).data;
}

// The false colours' scale: place in 0..1 of a luminance in cd/m2, and the entry of the table.
const heat = { ...meta.heat, colors: bytesOf(meta.heat.colors) };
const place = (nits) => Math.min(1, Math.log(Math.max(nits, heat.low) / heat.low) / Math.log(heat.high / heat.low));
const entry = (nits) => Math.round(place(nits) * (heat.colors.length / 3 - 1));

// Highlights above the knee are compressed so that `peak` becomes 1; E. Reinhard et al., "Photographic tone reproduction
// for digital images", SIGGRAPH 2002, eq. 4, on the largest of R, G, B.
const KNEE = 0.5;
function toned(largest, peak) {
  if (largest <= KNEE || peak <= 1) return largest;
  const x = (largest - KNEE) / (1 - KNEE);
  const end = (peak - KNEE) / (1 - KNEE);
  return KNEE + (1 - KNEE) * ((x * (1 + x / (end * end))) / (1 + x));
}
