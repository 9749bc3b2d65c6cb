// One digit as MNIST has it, made as the reader makes it: the ink fitted into 20×20, its centre of mass in the
// middle of 28×28 (LeCun et al. 1998). Pictures are { shape: [28, 28, 1], values } with ink 1 on paper 0.

export const SIDE = 28;
const BOX = 20, LARGEST = 512;
// Fainter than this share of the blackest ink is texture of the paper, and no ink at all is fainter than that.
const NOISE = 0.125, BLANK = 12, LEAST_THRESHOLD = 50;

export const picture = (values) => ({ shape: [SIDE, SIDE, 1], values });

// The digit on a canvas, dark on light or light on dark, or null for blank paper.
export function digitOn(canvas) {
  const found = writingOn(canvas);
  return found && picture(centred(fitted(found)));
}

// The ink of a canvas, and the box of what is written on it, or null for blank paper. Plain loops: it is asked at
// each piece of a stroke.
export function writingOn(canvas) {
  const ink = inkOf(canvas);
  let strongest = 0;
  for (const value of ink.values) if (value > strongest) strongest = value;
  if (strongest < BLANK) return null;
  return { ink, box: boxOf(ink, (threshold(ink.values, 255 / strongest) * strongest) / 255), noise: strongest * NOISE };
}

// How far each pixel stands out from the paper, which is what is commonest along the edge. The array is the next
// canvas's as well: at each piece of a stroke a new one would have to be cleared away.
let ink = new Float32Array(0);
function inkOf(canvas) {
  const { width, height } = canvas, { data } = canvas.getContext("2d").getImageData(0, 0, width, height), edge = [];
  if (ink.length !== width * height) ink = new Float32Array(width * height);
  const values = ink;
  const pixels = new Uint32Array(data.buffer);
  for (let at = 0, value = 0; at < values.length; at++) { // most pixels are as the one before
    if (!at || pixels[at] !== pixels[at - 1]) value = 0.299 * data[4 * at] + 0.587 * data[4 * at + 1] + 0.114 * data[4 * at + 2];
    values[at] = value;
  }
  for (let x = 0; x < width; x++) edge.push(values[x], values[values.length - 1 - x]);
  for (let y = 0; y < height; y++) edge.push(values[y * width], values[(y + 1) * width - 1]);
  const paper = edge.sort((one, other) => one - other)[edge.length >> 1];
  let darker = 0;
  for (const value of values) darker += (paper - value) * Math.abs(paper - value);
  const sign = Math.sign(darker);
  for (let at = 0; at < values.length; at++) values[at] = Math.max(0, sign * (paper - values[at]));
  return { width, height, values };
}

function boxOf({ width, height, values }, level) {
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (values[at] <= level) continue;
      if (x < left) left = x;
      if (x >= right) right = x + 1;
      if (y < top) top = y;
      bottom = y + 1;
    }
  }
  return { left, top, right, bottom };
}

// The level, of 255, that divides ink from paper best (Otsu 1979).
function threshold(values, scale) {
  const counts = new Float64Array(256);
  let inked = 0;
  for (const value of values) {
    if (value === 0) continue;
    counts[Math.round(value * scale)] += 1;
    inked += 1;
  }
  const total = values.length;
  counts[0] += total - inked;
  const sum = counts.reduce((all, many, level) => all + many * level, 0);
  let [below, belowSum, most, best] = [0, 0, -1, 0];
  counts.forEach((many, level) => {
    below += many;
    belowSum += many * level;
    if (!below || below === total) return;
    const between = below * (total - below) * (belowSum / below - (sum - belowSum) / (total - below)) ** 2;
    if (between > most) [most, best] = [between, level];
  });
  return Math.max(best, LEAST_THRESHOLD);
}

// The box made 20 pixels high or wide.
function fitted({ ink, box, noise }) {
  const { left, top, right, bottom } = box, scale = BOX / Math.max(right - left, bottom - top);
  const wide = Math.max(1, Math.round((right - left) * scale)), high = Math.max(1, Math.round((bottom - top) * scale));
  const pixels = resized(ink, box, wide, high, noise);
  const most = pixels.reduce((largest, value) => Math.max(largest, value), 1e-6);
  return { wide, high, pixels: pixels.map((value) => Math.round((255 * value) / most)) };
}

// A box of ink in so many pixels, each of them the mean of the area that it covers; beyond the edge is paper.
export function resized({ width, height, values }, { left, top, right, bottom }, wide, high, noise = 0) {
  const across = spans(left, right, wide), down = spans(top, bottom, high), pixels = new Float32Array(wide * high);
  down.forEach((rows, y) => across.forEach((columns, x) => {
    for (const [row, share] of rows) {
      if (row < 0 || row >= height) continue;
      for (const [column, part] of columns) {
        const ink = column < 0 || column >= width ? 0 : values[row * width + column];
        if (ink >= noise) pixels[y * wide + x] += share * part * ink;
      }
    }
  }));
  return pixels;
}

// For each of `count` equal parts of a stretch: the pixels in it, and which share of the part each is.
function spans(start, end, count) {
  const length = (end - start) / count;
  return Array.from({ length: count }, (_, part) => {
    const from = start + part * length, to = from + length, found = [];
    for (let at = Math.floor(from + 1e-6); at < to - 1e-6; at++) found.push([at, (Math.min(at + 1, to) - Math.max(at, from)) / length]);
    return found;
  });
}

function centred({ wide, high, pixels }) {
  let [mass, x, y] = [0, 0, 0];
  pixels.forEach((value, at) => {
    mass += value;
    x += value * (at % wide);
    y += value * Math.floor(at / wide);
  });
  const start = (centre, length) => Math.min(Math.max(rounded(SIDE / 2 - centre / mass), 0), SIDE - length);
  const left = start(x, wide), top = start(y, high), values = new Float32Array(SIDE * SIDE);
  pixels.forEach((value, at) => { values[(top + Math.floor(at / wide)) * SIDE + left + (at % wide)] = value / 255; });
  return values;
}

// As Python rounds: a half to the even number.
const rounded = (value) => (value % 1 === 0.5 || value % 1 === -0.5 ? 2 * Math.round(value / 2) : Math.round(value));

// A picture file on a canvas of at most 512 pixels a side.
export async function openPicture(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(bitmap.width * scale) || 1, height: Math.round(bitmap.height * scale) || 1 });
  const context = canvas.getContext("2d");
  [context.fillStyle, context.imageSmoothingQuality] = ["#fff", "high"];
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

// Digits of the page, cut out of their sheet: what each is, its place among them, and its picture.
export async function cutDigits({ sheet, columns, labels }) {
  const image = new Image();
  image.src = `data:image/png;base64,${sheet}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  return labels.map((label, number) => {
    const first = Math.floor(number / columns) * SIDE * image.width + (number % columns) * SIDE;
    const values = Float32Array.from({ length: SIDE * SIDE }, (_, at) => data[4 * (first + Math.floor(at / SIDE) * image.width + (at % SIDE))] / 255);
    return { label, at: number, picture: picture(values) };
  });
}

// What can be done to a digit, each by an amount; 0 leaves it as it is.

export function turned(values, degrees) {
  const angle = (degrees * Math.PI) / 180, [cosine, sine] = [Math.cos(angle), Math.sin(angle)], middle = SIDE / 2;
  return resampled(values, (x, y) => [cosine * (x - middle) + sine * (y - middle) + middle, cosine * (y - middle) - sine * (x - middle) + middle]);
}

export const shifted = (values, right, down) => resampled(values, (x, y) => [x - right, y - down]);

function resampled(values, from) {
  const at = (x, y) => (x >= 0 && y >= 0 && x < SIDE && y < SIDE ? values[y * SIDE + x] : 0);
  return values.map((_, place) => {
    const [x, y] = from(place % SIDE, Math.floor(place / SIDE)), [left, top] = [Math.floor(x), Math.floor(y)];
    const [right, down] = [x - left, y - top];
    return (1 - down) * ((1 - right) * at(left, top) + right * at(left + 1, top)) + down * ((1 - right) * at(left, top + 1) + right * at(left + 1, top + 1));
  });
}

// By so many pixels to each side; of a part of a pixel, neighbours get that share of the ink.
export function thickened(values, pixels) {
  for (let left = pixels; left > 0; left -= 1) {
    const share = Math.min(left, 1), before = values;
    values = before.map((value, at) => Math.max(value, share * Math.max(
      at % SIDE ? before[at - 1] : 0, (at + 1) % SIDE ? before[at + 1] : 0, before[at - SIDE] ?? 0, before[at + SIDE] ?? 0,
    )));
  }
  return values;
}

// With a straight stroke from a place, in steps of one pixel, two pixels thick.
export function stroked(values, x, y, [right, down], length) {
  const drawn = values.slice();
  for (let step = 0; step < length; step++) {
    for (const [column, row] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
      const to = [x + step * right + column, y + step * down + row];
      if (to.every((side) => side >= 0 && side < SIDE)) drawn[to[1] * SIDE + to[0]] = 1;
    }
  }
  return drawn;
}
