// Draws the picture with WebGL2. A pixel of the canvas is a pixel of the picture; the style sheet scales it.
const VERTEX = `#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0, 1); }`;

const FRAGMENT = `#version 300 es
precision highp float; precision highp int; precision highp usampler2D;
uniform usampler2D codes; uniform sampler2D sdr, levels, heat;
uniform int view, split;                 // 0 clipped, 1 tone-mapped, 2 false colours; first column of HDR
uniform float gain, white, peak, lowest, range;
uniform mat3 narrow;                     // BT.2020 to BT.709
uniform vec3 luma709, luma2020;
out vec4 color;

vec3 decode(vec3 s) { return mix(s / 12.92, pow((s + 0.055) / 1.055, vec3(2.4)), step(0.04045, s)); }
vec3 encode(vec3 l) { return mix(12.92 * l, 1.055 * pow(l, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, l)); }
float level(uint c) { return texelFetch(levels, ivec2(int(c) & 63, int(c) >> 6), 0).r; }
vec3 toned(vec3 l) {
  float m = max(l.r, max(l.g, l.b));
  if (m <= ${KNEE} || peak <= 1.0) return l;
  float x = (m - ${KNEE}) / ${1 - KNEE}, end = (peak - ${KNEE}) / ${1 - KNEE};
  return l * ((${KNEE} + ${1 - KNEE} * (x * (1.0 + x / (end * end)) / (1.0 + x))) / m);
}
void main() {
  ivec2 at = ivec2(gl_FragCoord.x, float(textureSize(codes, 0).y) - gl_FragCoord.y);
  bool before = at.x < split;
  vec3 light = decode(texelFetch(sdr, at, 0).rgb);
  float nits = white * dot(luma709, light);
  if (!before) {
    uvec3 code = texelFetch(codes, at, 0).rgb;
    vec3 wide = vec3(level(code.r), level(code.g), level(code.b));
    nits = dot(luma2020, wide);
    light = max(narrow * wide / white, 0.0);
  }
  if (view == 2) {
    float last = float(textureSize(heat, 0).x - 1);
    float spot = min(1.0, log(max(nits, lowest) / lowest) / range);
    color = texelFetch(heat, ivec2(int(spot * last + 0.5), 0), 0);
    return;
  }
  light *= gain;
  if (view == 1 && !before) light = toned(light);
  color = vec4(encode(clamp(light, 0.0, 1.0)), 1);
}`;

// A function that draws a state {view, split, gain, peak}, or null where there is no WebGL2.
function webglRenderer(canvas, data) {
  const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, preserveDrawingBuffer: true });
  if (!gl || gl.getParameter(gl.MAX_TEXTURE_SIZE) < Math.max(width, height)) return null;
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
  gl.useProgram(program);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);

  const rows = Math.ceil(data.levels.length / 64);
  const padded = new Float32Array(64 * rows);
  padded.set(data.levels);
  const textures = {
    codes: [gl.RGB16UI, width, height, gl.RGB_INTEGER, gl.UNSIGNED_SHORT, data.codes],
    sdr: [gl.RGBA8, width, height, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(data.sdr.buffer)],
    levels: [gl.R32F, 64, rows, gl.RED, gl.FLOAT, padded],
    heat: [gl.RGB8, heat.colors.length / 3, 1, gl.RGB, gl.UNSIGNED_BYTE, heat.colors],
  };
  const uniform = (name) => gl.getUniformLocation(program, name);
  Object.entries(textures).forEach(([name, [inside, wide, high, format, type, pixels]], unit) => {
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const key of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, key, gl.NEAREST);
    for (const key of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, key, gl.CLAMP_TO_EDGE);
    gl.texImage2D(gl.TEXTURE_2D, 0, inside, wide, high, 0, format, type, pixels);
    gl.uniform1i(uniform(name), unit);
  });
  if (gl.getError()) return null;

  gl.uniform1f(uniform("white"), white);
  gl.uniform1f(uniform("lowest"), heat.low);
  gl.uniform1f(uniform("range"), Math.log(heat.high / heat.low));
  gl.uniformMatrix3fv(uniform("narrow"), true, meta.narrow.flat());
  gl.uniform3fv(uniform("luma709"), meta.luma709);
  gl.uniform3fv(uniform("luma2020"), meta.luma2020);
  const places = Object.fromEntries(["view", "split", "gain", "peak"].map((name) => [name, uniform(name)]));
  gl.viewport(0, 0, width, height);
  return (state) => {
    gl.uniform1i(places.view, ["clip", "tone", "false"].indexOf(state.view));
    gl.uniform1i(places.split, state.split);
    gl.uniform1f(places.gain, state.gain);
    gl.uniform1f(places.peak, state.peak);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  };
}
