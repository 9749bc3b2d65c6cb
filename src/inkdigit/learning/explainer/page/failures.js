// Where a network fails: the test digits on a map of its last layer, and the confusion matrix with its pictures.

import { count, make, percent, seenLast, svg, thumbnail } from "./elements.js";

const WIDE = 640, HIGH = 440, EDGE = 16;

// `open` puts a test digit on the desk.
export class Failures {
  constructor(network, digits, open) {
    Object.assign(this, { network, digits, open });
    this.pictures = make("div", { className: "row", role: "status" });
    const tested = network.confusion.flat().reduce((sum, times) => sum + times, 0);
    const right = network.confusion.reduce((sum, row, digit) => sum + row[digit], 0) / tested;
    const { test, data, sample } = digits, missed = (some) => some.filter(({ label }, at) => label !== network.read[at]).length;
    const wrong = missed(test.slice(0, sample)), more = missed(test) - wrong;
    const told = `It reads ${percent(right)} of ${count(tested)} test digits of ${data} right. ${sample < tested ? `${count(sample)} of them, drawn at random,` : "All of them"} are on the plane, ${count(wrong)} read wrong.${more ? ` The matrix opens ${count(more)} more mistakes.` : ""}`;
    this.element = make("div", { className: "card" }, make("h3", { textContent: network.label }),
      make("p", { textContent: told }),
      ...(network.warning ? [make("p", { className: "notice busy", textContent: `Beware: ${network.warning}.` })] : []),
      make("div", { className: "halves" }, this.#matrix(), make("div", {}, ...this.#planes())), this.pictures);
  }

  #planes() {
    const { points, umap, spread, missing } = this.network;
    const first = this.#map(points, `Digits that are alike in ${seenLast(missing)} lie close (principal components, ${percent(spread)} of the variance). Mistakes are underlined and have their true share; the ring is your digit. The arrow keys go from digit to digit, Enter opens one.`);
    this.here = svg("circle", { r: 9, class: "here", visibility: "hidden" });
    first.firstChild.append(this.here);
    return umap ? [first, this.#map(umap, "The same digits by UMAP, which keeps neighbours together. How far groups lie apart says nothing.")] : [first];
  }

  #matrix() {
    const { confusion, classes } = this.network;
    const head = make("tr", {}, make("th", { scope: "col", textContent: "true" }), ...classes.map((name) => make("th", { scope: "col", textContent: name })));
    const cell = (times, digit, read) => {
      if (!times) return make("td", { textContent: "·" });
      const button = make("button", { type: "button", textContent: count(times), "aria-label": `${digit} read as ${classes[read]}, ${count(times)} times: show them` });
      button.addEventListener("click", () => this.#show(digit, read));
      return make("td", { className: digit === read ? "right" : "wrong" }, button);
    };
    const rows = confusion.map((row, digit) => make("tr", {}, make("th", { scope: "row", textContent: classes[digit] }), ...row.map((times, read) => cell(times, digit, read))));
    return make("div", { className: "scroll" }, make("table", { className: "confusion" }, make("caption", { textContent: "What each digit is read as: choose a number to see its pictures" }), make("thead", {}, head), make("tbody", {}, ...rows)));
  }

  #show(digit, read) {
    const found = this.digits.test.filter(({ label }, at) => label === digit && this.network.read[at] === read);
    this.pictures.replaceChildren(make("p", { textContent: found.length ? `${digit} read as ${this.network.classes[read]}, ${count(found.length)} in this page: choose one to explain it.` : "None of them is in this page." }), ...found.map((one) => this.#button(one)));
  }

  #button(one) {
    const button = make("button", { type: "button", className: "digit", "aria-label": `A ${one.label}: explain it` }, thumbnail(one.picture.values, ""));
    button.addEventListener("click", () => this.open(one));
    return button;
  }

  #map(points, caption) {
    const { read, missing } = this.network, { test } = this.digits;
    const bounds = [0, 1].map((axis) => [Math.min(...points.map((point) => point[axis])), Math.max(...points.map((point) => point[axis]))]);
    const to = (point) => [WIDE, HIGH].map((length, axis) => EDGE + ((length - 2 * EDGE) * (point[axis] - bounds[axis][0])) / Math.max(bounds[axis][1] - bounds[axis][0], 1e-9));
    this.to ??= to;
    const plot = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, tabindex: 0, role: "slider", "aria-label": `Test digits by ${seenLast(missing)}, from left to right: Enter opens one`, "aria-valuemin": 1, "aria-valuemax": points.length });
    const marks = [], say = (at) => (test[at].label === read[at] ? `${test[at].label}` : `${test[at].label} read as ${this.network.classes[read[at]]}`);
    const order = [...points.keys()].sort((a, b) => (test[a].label !== read[a]) - (test[b].label !== read[b]));
    for (const at of order) {
      const [x, y] = to(points[at]), wrong = test[at].label !== read[at];
      const mark = svg("text", { x, y, class: wrong ? "wrong" : "" }, String(test[at].label));
      marks[at] = mark;
      mark.append(svg("title", {}, say(at)));
      mark.addEventListener("click", () => this.open(test[at]));
      plot.append(mark);
    }
    const walk = [...points.keys()].sort((a, b) => points[a][0] - points[b][0]);
    let place = 0;
    const go = (to) => {
      marks[walk[place]].classList.remove("at");
      marks[walk[place = to]].classList.add("at");
      for (const [name, value] of Object.entries({ "aria-valuenow": to + 1, "aria-valuetext": say(walk[to]) })) plot.setAttribute(name, value);
    };
    go(0);
    plot.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: place - 1, ArrowUp: place - 1, ArrowRight: place + 1, ArrowDown: place + 1, Home: 0, End: walk.length - 1, Enter: place }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      if (event.key === "Enter") this.open(test[walk[place]]);
      else if (to in walk) go(to);
    });
    return make("figure", { className: "plane" }, plot, make("figcaption", { textContent: caption }));
  }

  // Where the digit on the desk lies.
  show(features) {
    const { mean, axes } = this.network.plane;
    const [x, y] = this.to(axes.map((axis) => axis.reduce((sum, weight, at) => sum + weight * (features[at] - mean[at]), 0)));
    for (const [name, value] of Object.entries({ cx: x, cy: y, visibility: "visible" })) this.here.setAttribute(name, value);
  }
}
