// What the views share: elements, numbers as text, and maps as pictures.

export const $ = (id) => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function svg(tag, attributes, textContent = "") {
  const element = Object.assign(document.createElementNS("http://www.w3.org/2000/svg", tag), { textContent });
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

export const number = (value, digits = 4) => value.toFixed(digits).replace(/^-(?=[\d.]*[1-9])/, "−").replace(/^-/, "");
export const count = (value) => value.toLocaleString("en");
export const percent = (share) => `${(100 * share).toFixed(share > 0.9994 && share < 1 ? 3 : 1)} %`;

// What digits are alike in on a plane; where a layer can't be computed, that is of one before.
export const seenLast = (missing) => (missing ? "what can be computed last" : "what the last layer sees");

// Colours of values from -1 to 1 in 511 steps: paper for nothing, one colour above zero and one below.
const STEPS = 255;
let palette = null;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { palette = null; });

function colours() {
  if (palette) return palette;
  const style = getComputedStyle(document.body);
  const [zero, above, below] = ["--zero", "--above", "--below"].map((name) => style.getPropertyValue(name).match(/[\da-f]{2}/gi).map((part) => parseInt(part, 16)));
  const bytes = Uint8ClampedArray.from({ length: 4 * (2 * STEPS + 1) }, (_, at) => {
    const share = Math.floor(at / 4) / STEPS - 1, part = at % 4, to = share < 0 ? below : above;
    return part === 3 ? 255 : zero[part] + Math.abs(share) * (to[part] - zero[part]);
  });
  return (palette = new Uint32Array(bytes.buffer));
}

// Where canvases are painted before they are shown, each its own: at a stroke nothing has to be made anew.
const PAINTED = new WeakMap();

// Paints a canvas: `fill` is given its pixels, and what gives the colour of a value, a share of the largest.
function paintPixels(canvas, width, height, fill) {
  let painted = PAINTED.get(canvas);
  if (painted?.image.width !== width || painted.image.height !== height) {
    Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d"), image = context.createImageData(width, height);
    PAINTED.set(canvas, (painted = { context, image, pixels: new Uint32Array(image.data.buffer) }));
  }
  const known = colours();
  fill(painted.pixels, (share) => known[STEPS + Math.round(STEPS * (share > 1 ? 1 : share > -1 ? share : -1))]);
  painted.context.putImageData(painted.image, 0, 0);
}

export function largest(values) {
  let most = 1e-9;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

// Where the maps of a layer stand in their picture: rows of about the same length, a gap of a pixel between maps, and
// all a few times as wide as high. Of single numbers each is a square.
export function gridOf(shape) {
  const [height, width, maps] = shape.length > 2 ? shape : [1, 1, shape.reduce((size, side) => size * side, 1)];
  const flat = height * width === 1, side = flat ? 3 : 1, across = width * side + 1, down = height * side + 1;
  const rows = Math.ceil(maps / Math.ceil(Math.sqrt(((flat ? 20 : 8) * maps * down) / across)));
  return { height, width, maps, side, columns: Math.ceil(maps / rows), rows, across, down };
}

export function paintMaps(canvas, { shape, values }) {
  const { height, width, maps, side, columns, rows, across, down } = gridOf(shape), scale = 1 / largest(values);
  const wide = columns * across - 1;
  paintPixels(canvas, wide, rows * down - 1, (pixels, colour) => {
    for (let map = 0; map < maps; map++) {
      const first = Math.floor(map / columns) * down * wide + (map % columns) * across;
      for (let y = 0, from = map; y < height; y++) {
        for (let x = 0; x < width; x++, from += maps) {
          const one = colour(values[from] * scale), to = first + (y * wide + x) * side;
          for (let row = to; row < to + side * wide; row += wide) for (let at = row; at < row + side; at++) pixels[at] = one;
        }
      }
    }
  });
}

// One map, or a digit; values are a fraction of `scale`.
export function paintMap(canvas, width, height, valueAt, scale) {
  paintPixels(canvas, width, height, (pixels, colour) => {
    for (let at = 0; at < pixels.length; at++) pixels[at] = colour(valueAt(at) / scale);
  });
}

// A digit as a small picture; without a label, what it is of stands around it.
export function thumbnail(values, label) {
  const canvas = make("canvas", { className: "thumbnail", ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }) });
  paintMap(canvas, 28, 28, (at) => values[at], 1);
  return canvas;
}
