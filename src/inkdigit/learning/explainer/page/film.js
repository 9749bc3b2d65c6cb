// What a network has learned: its filters, what it says of ten digits, and where digits lie on its plane. Epoch by
// epoch it is a film; a page that watches a training shows the newest.

import { largest, make, number, paintMap, percent, seenLast, svg, thumbnail } from "./elements.js";

const PLANE = [640, 440], INSIDE = 14;
// How far points lie from the middle, in their own spread: almost all of them.
const REACH = 2.6;
const FRAME_SECONDS = 0.6; // a frame, while the film plays

// Numbers as Python packs them: whole ones of 16 bits, to be scaled.
export function unpack({ shape, scale, values }) {
  const bytes = Uint8Array.from(atob(values), (letter) => letter.charCodeAt(0));
  return { shape, values: Float32Array.from(new Int16Array(bytes.buffer), (one) => one * scale) };
}

// One of packed frames.
function frameOf({ shape: [, ...shape], values }, at) {
  const size = shape.reduce((product, side) => product * side, 1);
  return { shape, values: values.subarray(at * size, (at + 1) * size) };
}

// `pictures` are those of the ten digits `ten`; `labels` are of the digits on the plane.
export class Scene {
  constructor({ ten, labels, classes, missing }, pictures) {
    this.classes = classes;
    this.filters = make("div", { className: "filters", role: "img", "aria-label": "The filters of the first layer" });
    this.missing = make("p", { className: "about", textContent: "The first layer has no filters that are a picture." });
    this.digits = ten.labels.map((label, at) => new Told(label, pictures[at], classes));
    this.marks = labels.map((label) => svg("text", { class: `of-${label}` }, String(label)));
    const plane = svg("svg", { viewBox: `0 0 ${PLANE.join(" ")}`, role: "img", "aria-label": `${labels.length} test digits, those that are alike in ${seenLast(missing)} close together` });
    plane.append(...this.marks);
    const part = (title, words, ...shown) => make("figure", {}, make("h4", { textContent: title }), ...shown, make("figcaption", { textContent: words }));
    const filters = part("Filters of the first layer", "Blue weights look for ink, orange ones for paper.", this.filters, this.missing);
    const said = part(`${ten.labels.length} test digits`, "Below each: the probability of each digit from 0 to 9, and what is said.", make("div", { className: "ten" }, ...this.digits.map(({ element }) => element)));
    const seen = part(`${labels.length} test digits on a plane`, `By the principal components of ${seenLast(missing)}. The plane is turned and scaled to fit the one before.`, make("div", { className: "plane moving" }, plane));
    this.element = make("div", { className: "scene" }, make("div", {}, filters, ...(ten.labels.length ? [said] : [])), ...(ten.labels.length ? [seen] : []));
  }

  // Any part may be missing, and then stays as it is.
  show({ filters, answers, points }) {
    if (filters) this.#showFilters(filters);
    if (answers) this.digits.forEach((digit, at) => digit.show(answers.values.subarray(at * this.classes.length, (at + 1) * this.classes.length)));
    if (points) this.marks.forEach((mark, at) => {
      const [x, y] = PLANE.map((length, axis) => {
        const share = Math.max(-1, Math.min(1, points.values[2 * at + axis] / REACH));
        return length / 2 + share * (length / 2 - INSIDE);
      });
      mark.style.transform = `translate(${x}px, ${y}px)`;
    });
  }

  #showFilters({ shape: [height, width, filters], values }) {
    this.missing.hidden = filters > 0;
    this.filters.hidden = !filters;
    while (this.filters.childElementCount < filters) this.filters.append(make("canvas"));
    const most = largest(values);
    [...this.filters.children].forEach((canvas, filter) => paintMap(canvas, width, height, (at) => values[at * filters + filter], most));
  }
}

// What is said of one digit.
class Told {
  constructor(label, { values }, classes) {
    Object.assign(this, { label, classes, values, picture: thumbnail(values, `A ${label}`) });
    this.bars = classes.map(() => make("i"));
    this.words = make("figcaption");
    this.element = make("figure", {}, this.picture, make("div", { className: "shares", "aria-hidden": "true" }, ...this.bars), this.words);
  }

  show(shares) {
    paintMap(this.picture, 28, 28, (at) => this.values[at], 1); // in the colours of now
    const top = shares.indexOf(Math.max(...shares)), right = this.classes[top] === String(this.label);
    this.bars.forEach((bar, at) => {
      bar.style.height = `${Math.max(4, 100 * shares[at])}%`;
      bar.className = at === top ? (right ? "right" : "wrong") : "";
    });
    const words = `${right ? "✓" : "✗"} ${this.classes[top]} · ${percent(shares[top]).replace(" ", "\u00a0")}`;
    if (this.words.textContent !== words) this.words.textContent = words;
  }
}

// The film of a run that kept snapshots.
export class Film {
  constructor({ label, classes, missing, film }, pictures) {
    this.film = film;
    this.frames = Object.fromEntries(["figures", "filters", "answers", "points"].map((name) => [name, unpack(film[name])]));
    this.scene = new Scene({ ...film, classes, missing }, pictures);
    this.play = make("button", { type: "button", textContent: "Play" });
    this.slider = make("input", { type: "range", min: 0, max: film.epochs.length - 1, value: film.epochs.length - 1, "aria-label": `Epoch of ${label}` });
    this.words = make("output");
    this.slider.addEventListener("input", () => { this.#stop(); this.show(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.show());
    this.play.addEventListener("click", () => (this.timer ? this.#stop() : this.#start()));
    this.element = make("div", { className: "card film" }, make("h3", { textContent: label }), make("div", { className: "tools", role: "group", "aria-label": `Film of ${label}` }, this.play, this.slider, this.words), this.scene.element);
    this.show();
  }

  show() {
    const at = Number(this.slider.value), [loss, accuracy] = frameOf(this.frames.figures, at).values, epoch = this.film.epochs[at];
    this.words.textContent = epoch ? `After epoch ${epoch}: loss ${number(loss, 3)}, ${percent(accuracy)} right on the validation digits` : "Before the first epoch: nothing learned yet";
    this.slider.setAttribute("aria-valuetext", this.words.textContent);
    this.scene.show(Object.fromEntries(["filters", "answers", "points"].map((name) => [name, frameOf(this.frames[name], at)])));
  }

  #start() {
    if (this.slider.value === this.slider.max) this.slider.value = 0;
    this.play.textContent = "Pause";
    this.timer = setInterval(() => {
      this.slider.value = Number(this.slider.value) + 1;
      this.show();
      if (this.slider.value === this.slider.max) this.#stop();
    }, 1000 * FRAME_SECONDS);
    this.show();
  }

  #stop() {
    clearInterval(this.timer);
    this.timer = 0;
    this.play.textContent = "Play";
  }
}
