// Why this digit: explanations, what they are worth, the nearest training digits, and what would break the answer.

import { SIDE, picture, shifted, stroked, thickened, turned } from "./digit.js";
import { count, largest, make, number, paintMap, percent, thumbnail } from "./elements.js";

const PATIENCE = 10; // milliseconds of work before the page may answer again
const WINDOW = 4, REMOVED = 0.1, NEAREST = 8;
// An explanation holds if it lowers the answer so many times as far as random pixels, and farther than random ink.
const HOLDS = 3;
const pause = () => new Promise((resume) => setTimeout(resume));
const likeliest = (values) => values.indexOf(Math.max(...values));

// As `attribution.py` has them, which measures what they are worth: how much each pixel speaks for a class.
export const EXPLANATIONS = {
  gradient: {
    title: "Gradient × ink", words: "How far the answer would fall without this pixel, by the slope of the network at this digit.",
    of(network, maps, { values }, chosen) { return network.gradient(maps, chosen).map((slope, at) => slope * values[at]); },
  },
  occlusion: {
    title: "Occlusion", words: "How far the answer falls when a square of 4 × 4 pixels is covered with paper.",
    of(network, maps, { values }, chosen) {
      const before = network.logOdds(maps, chosen), falls = new Float64Array(values.length);
      for (let top = 0; top < SIDE; top += WINDOW) {
        for (let left = 0; left < SIDE; left += WINDOW) {
          const inside = Array.from({ length: WINDOW * WINDOW }, (_, at) => (top + Math.floor(at / WINDOW)) * SIDE + left + (at % WINDOW));
          const covered = values.slice();
          for (const at of inside) covered[at] = 0;
          const fall = inside.some((at) => values[at]) ? before - network.logOdds(network.run(picture(covered)), chosen) : 0;
          for (const at of inside) falls[at] = fall * values[at];
        }
      }
      return falls;
    },
  },
  saliency: {
    title: "Saliency", words: "How much a change of this pixel would change the answer, up or down. Paper counts as well as ink.",
    of(network, maps, _, chosen) { return network.gradient(maps, chosen).map(Math.abs); },
  },
};

// A digit without the tenth of its pixels that an explanation names first.
export function without(values, named) {
  const order = [...named.keys()].sort((a, b) => named[b] - named[a] || a - b), left = values.slice();
  for (const at of order.slice(0, Math.round(REMOVED * values.length))) left[at] = 0;
  return left;
}

// The reasons of one network.
export class Reasons {
  constructor(network, digits) {
    Object.assign(this, { network, digits, known: [] });
    this.pictures = make("div", { className: "trio" });
    this.nearest = make("div", { className: "row" });
    this.found = make("p", {}, "");
    this.breaking = make("div", { className: "row broken" });
    this.button = make("button", { type: "button", textContent: "Break it", disabled: true });
    this.button.addEventListener("click", () => this.#break());
    this.element = make("div", { className: "card reasons" }, make("h3", { textContent: network.label }), this.pictures,
      make("h4", { textContent: "Known digits that it takes to be most alike" }), this.nearest, this.found,
      make("h4", { textContent: "How little would change the answer?" }), this.button, this.breaking);
  }

  show(digit, maps) {
    const chosen = likeliest(maps.at(-1).values);
    Object.assign(this, { digit, maps, chosen });
    this.breaking.replaceChildren();
    this.button.disabled = false;
    this.pictures.replaceChildren(...Object.entries(EXPLANATIONS).map(([name, how]) => this.#explanation(name, how, chosen)));
    this.#showNearest();
  }

  // What the last layer sees of the training digits, computed bit by bit.
  async meetDigits() {
    let since = performance.now();
    for (const { picture: one } of this.digits.train) {
      this.known.push(this.network.features(this.network.run(one)));
      if (performance.now() - since < PATIENCE) continue;
      await pause();
      since = performance.now();
    }
    if (this.maps) this.#showNearest();
  }

  #explanation(name, { title, words, of }, chosen) {
    const { network, digit, maps } = this, named = of(network, maps, digit, chosen);
    const after = network.run(picture(without(digit.values, named))).at(-1).values[chosen], before = maps.at(-1).values[chosen];
    const canvas = make("canvas", { role: "img", "aria-label": `${title}: the pixels that speak for ${network.classes[chosen]} are blue, those against it orange` });
    const most = largest(named);
    paintMap(canvas, SIDE, SIDE, (at) => named[at], most);
    const { random, ink, digits, explanations } = network.deletion, fall = explanations[name], holds = fall >= HOLDS * random && fall > ink;
    const verdict = make("p", { className: holds ? "verdict good" : "verdict bad", textContent: holds ? "It holds" : "It does not hold" });
    const worth = `On ${count(digits)} test digits, removing the ${Math.round(REMOVED * SIDE * SIDE)} pixels that it names lowers the probability by ${number(fall, 3)} on average. As many random pixels lower it by ${number(random, 3)}, random pixels of the ink by ${number(ink, 3)}.`;
    return make("figure", {}, make("h4", { textContent: title }), canvas, make("figcaption", {}, make("p", { textContent: words }), make("p", { className: "here", textContent: `Here: from ${percent(before)} to ${percent(after)} without them.` }), verdict, make("p", { textContent: worth })));
  }

  // Distances between what the last layer sees of this digit and of the training digits in this page.
  #showNearest() {
    const { network, digits } = this;
    if (this.known.length < digits.train.length) return;
    const here = network.features(this.maps);
    const far = this.known.map((features) => Math.sqrt(features.reduce((sum, value, at) => sum + (value - here[at]) ** 2, 0)));
    const order = [...far.keys()].sort((a, b) => far[a] - far[b]).slice(0, NEAREST);
    this.nearest.replaceChildren(...order.map((at) => {
      const { picture: one, label } = digits.train[at];
      return make("figure", {}, thumbnail(one.values, `A training digit: ${label}`), make("figcaption", { textContent: `${label} · ${number(far[at], 1)}` }));
    }));
    this.found.textContent = `Of ${count(digits.train.length)} training digits of ${digits.data}, by the distance of what its last layer sees. The digit that each is stands below it, and the distance.`;
  }

  async #break() {
    this.button.disabled = true;
    this.breaking.replaceChildren();
    const { network, digit, chosen } = this;
    for (const [title, changes] of Object.entries(BREAKS)) {
      const found = await this.#first(changes(digit.values), chosen);
      if (this.digit !== digit) break;
      const figure = found
        ? [thumbnail(found.values, title), make("figcaption", {}, make("b", { textContent: title }), ` ${found.how}: it says ${network.classes[found.said]}`)]
        : [make("figcaption", {}, make("b", { textContent: title }), " does not change it")];
      this.breaking.append(make("figure", {}, ...figure));
    }
    this.button.disabled = false;
  }

  // The first change by which another class becomes the likeliest; none where the digit has changed meanwhile.
  async #first(changes, chosen) {
    const { network, digit } = this;
    let since = performance.now();
    for (const { values, how } of changes) {
      const said = likeliest(network.run(picture(values)).at(-1).values);
      if (said !== chosen) return { values, how, said };
      if (performance.now() - since < PATIENCE) continue;
      await pause();
      if (this.digit !== digit) return null;
      since = performance.now();
    }
    return null;
  }
}

// What is tried, the least change first; each as (values) => [{ values, how }], made one by one.
const BREAKS = {
  * Turned(values) {
    for (let angle = 2; angle <= 90; angle += 2) for (const way of [1, -1]) yield { values: turned(values, way * angle), how: `by ${angle}° to the ${way > 0 ? "right" : "left"}` };
  },
  * Shifted(values) {
    for (let pixels = 1; pixels <= 14; pixels++) {
      for (const [right, down, way] of [[1, 0, "right"], [-1, 0, "left"], [0, 1, "down"], [0, -1, "up"]]) {
        yield { values: shifted(values, pixels * right, pixels * down), how: `by ${pixels} ${pixels > 1 ? "pixels" : "pixel"} ${way}` };
      }
    }
  },
  * Thickened(values) {
    for (let tenths = 2; tenths <= 40; tenths += 2) yield { values: thickened(values, tenths / 10), how: `by ${number(tenths / 10, 1)} pixels on each side` };
  },
  * "With a stroke"(values) {
    for (let length = 1; length <= 12; length += 1 + (length > 3)) {
      for (let y = 2; y < SIDE - 2; y += 3) {
        for (let x = 2; x < SIDE - 2; x += 3) {
          for (const way of [[1, 0], [0, 1], [1, 1], [-1, 1]]) yield { values: stroked(values, x, y, way, length), how: `of ${length + 1} pixels` };
        }
      }
    }
  },
};
