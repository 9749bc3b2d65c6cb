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

export const number = (value, digits = 4) => value.toFixed(digits).replace(/^-(?=[\d.]*[1-9])/, "−").replace(/^-/, "");
export const count = (value) => value.toLocaleString("en");
export const percent = (share) => `${(100 * share).toFixed(share > 0.9994 && share < 1 ? 3 : 1)} %`;

// Colours of values: paper for nothing, one colour above zero and one below.
let palette = null;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { palette = null; });

function colours() {
  if (palette) return palette;
  const style = getComputedStyle(document.body);
  const rgb = (name) => style.getPropertyValue(name).trim().match(/[\da-f]{2}/gi).map((part) => parseInt(part, 16));
  return (palette = ["--zero", "--above", "--below", "--gap"].map(rgb));
}

function blend(data, at, value, [zero, above, below]) {
  const to = value < 0 ? below : above, share = Math.min(1, Math.abs(value));
  for (let part = 0; part < 3; part++) data[at + part] = zero[part] + share * (to[part] - zero[part]);
  data[at + 3] = 255;
}

export const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);

// Where the maps of a layer stand in their picture: rows of about the same length, a gap of a pixel between maps, and
// all a few times as wide as high. Of single numbers each is a square.
export function gridOf(shape) {
  const [height, width, maps] = shape.length > 2 ? shape : [1, 1, shape.reduce((size, side) => size * side, 1)];
  const flat = height * width === 1, side = flat ? 3 : 1, across = width * side + 1, down = height * side + 1;
  const rows = Math.ceil(maps / Math.ceil(Math.sqrt(((flat ? 20 : 8) * maps * down) / across)));
  return { height, width, maps, side, columns: Math.ceil(maps / rows), rows, across, down };
}

export function paintMaps(canvas, { shape, values }) {
  const { height, width, maps, side, columns, rows, across, down } = gridOf(shape);
  const [wide, high] = [columns * across - 1, rows * down - 1];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const context = canvas.getContext("2d"), image = context.createImageData(wide, high), scale = 1 / largest(values), known = colours();
  for (let map = 0; map < maps; map++) {
    const left = (map % columns) * across, top = Math.floor(map / columns) * down;
    for (let y = 0; y < height * side; y++) {
      for (let x = 0; x < width * side; x++) {
        const value = values[(Math.floor(y / side) * width + Math.floor(x / side)) * maps + map];
        blend(image.data, 4 * ((top + y) * wide + left + x), value * scale, known);
      }
    }
  }
  context.putImageData(image, 0, 0);
}

// One map, or a digit; values are a fraction of `scale`.
export function paintMap(canvas, width, height, valueAt, scale) {
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d"), image = context.createImageData(width, height), known = colours();
  for (let at = 0; at < width * height; at++) blend(image.data, 4 * at, valueAt(at) / scale, known);
  context.putImageData(image, 0, 0);
}

// A digit as a small picture; without a label, what it is of stands around it.
export function thumbnail(values, label) {
  const canvas = make("canvas", { className: "thumbnail", ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }) });
  paintMap(canvas, 28, 28, (at) => values[at], 1);
  return canvas;
}
