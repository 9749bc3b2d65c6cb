// A line of writing: its picture as the line network sees it, what each frame of it says, and how a text comes out.

import { resized, writingOn } from "./digit.js";
import { make, paintMap, percent } from "./elements.js";
import { softmax } from "./network.js";

// As the reader has them: the height of a line image, the paper around the writing in its heights, and the share of
// all pixels that are as black as ink can be.
const HEIGHT = 32, MARGIN = 0.12, BLACKEST = 1 / 50;
// Line images are so many pixels wide, or twice, thrice; paper is put behind what is written.
const MULTIPLE = 4;
const SHOWN = 5;

// The line on a canvas as { shape: [32, width, 1], values }, or null for blank paper.
export function lineOn(canvas) {
  const found = writingOn(canvas);
  if (!found) return null;
  const { left, top, right, bottom } = found.box, margin = MARGIN * (bottom - top) + 1;
  const box = { left: Math.floor(left - margin), top: Math.floor(top - margin), right: Math.ceil(right + margin), bottom: Math.ceil(bottom + margin) };
  const width = Math.max(HEIGHT / 2, Math.round(((box.right - box.left) * HEIGHT) / (box.bottom - box.top)));
  const pixels = resized(found.ink, box, width, HEIGHT);
  const sorted = Float32Array.from(pixels).sort(), rank = Math.floor(pixels.length * BLACKEST);
  const peak = Math.max(sorted[sorted.length - rank], sorted.at(-1) / 2, 1e-6);
  const wide = Math.ceil(width / MULTIPLE) * MULTIPLE, values = new Float32Array(HEIGHT * wide);
  pixels.forEach((value, at) => { values[Math.floor(at / width) * wide + (at % width)] = Math.floor(Math.min((value * 255) / peak, 255)) / 255; });
  return { shape: [HEIGHT, wide, 1], values };
}

// Digits side by side, as on paper.
export function written(digits, canvas = document.createElement("canvas")) {
  Object.assign(canvas, { width: 22 * digits.length + 20, height: 48 });
  const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, canvas.height);
  image.data.fill(255);
  digits.forEach(({ picture: { values } }, place) => values.forEach((value, at) => {
    const to = 4 * ((10 + Math.floor(at / 28)) * canvas.width + 8 + 22 * place + (at % 28));
    for (let part = 0; part < 3; part++) image.data[to + part] = Math.min(image.data[to + part], 255 * (1 - value));
  }));
  context.putImageData(image, 0, 0);
  return canvas;
}

// What one network says of each frame, by connectionist temporal classification (Graves et al. 2006).
export class Frames {
  constructor(network) {
    Object.assign(this, { network, chosen: 0 });
    this.blank = network.classes.length - 1;
    this.heading = make("h2");
    this.line = make("canvas", { role: "img", "aria-label": "The line as the network sees it" });
    this.table = make("canvas", { tabIndex: 0, role: "slider", "aria-label": `Frames of ${network.label}`, "aria-valuemin": "1" });
    this.frame = make("div", { className: "frame spot" });
    this.letters = make("div", { className: "letters", "aria-hidden": "true" });
    this.words = make("ol", { className: "steps" });
    this.detail = make("p", { className: "value", role: "status" });
    this.table.addEventListener("pointermove", (event) => this.#point(event));
    this.table.addEventListener("pointerdown", (event) => this.#point(event));
    this.table.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step) this.choose(this.chosen + step);
    });
    const strip = make("div", { className: "strip" }, this.line, make("div", { className: "maps" }, this.table, this.frame), this.letters);
    this.element = make("div", { className: "card frames" }, make("p", { className: "name", textContent: network.label }), this.heading, make("div", { className: "scroll", tabIndex: 0, role: "group", "aria-label": "The line and its frames" }, strip), this.detail, this.words);
  }

  show(maps) {
    const { classes } = this.network, { shape: [frames], values } = maps.at(-1), [{ shape: [, width], values: ink }] = maps[0].inputs;
    Object.assign(this, { frames, shares: Array.from({ length: frames }, (_, at) => softmax(values.subarray(at * classes.length, (at + 1) * classes.length))) });
    const likeliest = this.shares.map((share) => share.indexOf(Math.max(...share)));
    const merged = likeliest.filter((one, at) => one !== likeliest[at - 1]), kept = merged.filter((one) => one !== this.blank);
    const text = (found) => found.map((one) => this.#letter(one)).join(" ");
    this.said = kept.map((one) => (classes[one] === "none" ? "?" : classes[one])).join("");
    this.heading.textContent = this.said || "nothing";
    this.element.style.setProperty("--frames", frames);
    paintMap(this.line, width, HEIGHT, (at) => ink[at], 1);
    paintMap(this.table, frames, classes.length, (at) => this.shares[at % frames][Math.floor(at / frames)], 1);
    this.letters.replaceChildren(...likeliest.map((one) => make("span", { textContent: this.#letter(one) })));
    this.words.replaceChildren(...[
      ["Each frame says what is likeliest there; · is the blank, which says that nothing ends here.", text(likeliest)],
      ["The same in a row counts once.", text(merged)],
      ["Blanks go. What is left is the text.", text(kept)],
    ].map(([words, found]) => make("li", {}, words, make("code", { textContent: found }))));
    this.table.setAttribute("aria-valuemax", frames);
    this.choose(Math.min(this.chosen, frames - 1));
  }

  choose(frame) {
    if (frame < 0 || frame >= this.frames) return;
    this.chosen = frame;
    Object.assign(this.frame.style, { left: `${(100 * frame) / this.frames}%`, width: `${100 / this.frames}%`, top: "0", height: "100%" });
    const { classes } = this.network, share = this.shares[frame];
    const best = [...share.keys()].sort((a, b) => share[b] - share[a]).slice(0, SHOWN);
    const told = `Frame ${frame + 1} of ${this.frames}: ${best.map((at) => `${classes[at]} ${percent(share[at])}`).join(", ")}`;
    this.detail.textContent = told;
    for (const [name, value] of Object.entries({ "aria-valuenow": frame + 1, "aria-valuetext": told })) this.table.setAttribute(name, value);
  }

  #letter(one) { return one === this.blank ? "·" : this.network.classes[one] === "none" ? "?" : this.network.classes[one]; }

  #point(event) {
    const box = this.table.getBoundingClientRect();
    this.choose(Math.min(Math.floor(((event.clientX - box.left) / box.width) * this.frames), this.frames - 1));
  }
}
