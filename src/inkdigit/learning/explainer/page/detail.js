// The chosen number beside the layers: from one map to one place of it, and to the arithmetic behind it.

import { arithmeticOf } from "./arithmetic.js";
import { count, largest, make, number, paintMap } from "./elements.js";

const MOST_TERMS = 12;
// Layers of so few neurons are shown whole: what each number before adds to each of them.
const FEW = 16;
const NAMES = { relu: "ReLU", leaky_relu: "leaky ReLU", elu: "ELU", silu: "SiLU" };

// The chosen map, large; the number at the chosen place of it; and the numbers that it is made of.
export class Detail {
  constructor(element) {
    Object.assign(this, { element, place: null, from: null });
    this.heading = make("h3");
    this.map = make("canvas", { tabIndex: 0, role: "application", "aria-label": "The chosen map: the arrow keys move to another number" });
    this.spot = make("div", { className: "frame spot" });
    this.input = make("canvas", { role: "img", "aria-label": "What the window looks at" });
    this.window = make("div", { className: "frame spot" });
    this.table = make("canvas", { role: "img", "aria-label": "What each number before adds to each neuron" });
    this.row = make("div", { className: "frame spot" });
    this.play = make("button", { type: "button", textContent: "Slide" });
    this.value = make("p", { className: "value", role: "status" });
    this.sums = make("div", { className: "sums" });
    this.source = figure(this.input, this.window);
    this.whole = figure(this.map, this.spot);
    this.adds = figure(this.table, this.row);
    this.whole.lastChild.textContent = "this map";
    this.adds.lastChild.textContent = "what each number before (across) adds to each neuron (down)";
    this.adds.className = "adds";
    // Where it stands over the maps, it opens when asked.
    element.open = !matchMedia("(max-width: 980px)").matches;
    addEventListener("beforeprint", () => { element.open = true; });
    element.append(make("summary", {}, this.heading), make("div", { className: "pair" }, this.source, this.whole), this.adds, this.play, this.value, this.sums);
    this.map.addEventListener("pointermove", (event) => this.#point(event));
    this.map.addEventListener("pointerdown", (event) => this.#point(event));
    this.map.addEventListener("keydown", (event) => this.#key(event));
    this.play.addEventListener("click", () => this.#slide());
  }

  choose(network, layer, map) {
    if (this.layer !== layer) [this.place, this.from] = [null, null];
    Object.assign(this, { network, layer, chosen: map });
  }

  show(maps, classes) {
    if (!this.layer) return;
    const map = maps[this.network.layers.indexOf(this.layer)];
    this.height = map.shape.length > 2 ? map.shape[0] : 1;
    this.width = map.shape.length > 2 ? map.shape[1] : 1;
    Object.assign(this, { all: maps, shown: map, classes, maps: map.shape.at(-1) });
    this.place ??= this.#strongest();
    const flat = this.height * this.width === 1;
    const name = map === maps.at(-1) ? classes[this.chosen] : `${flat ? "neuron" : "map"} ${this.chosen + 1}`;
    this.heading.textContent = `${this.layer.name}, ${name}`;
    paintMap(this.map, this.width, this.height, (at) => map.values[at * this.maps + this.chosen], largest(map.values));
    this.whole.hidden = this.play.hidden = flat;
    this.refresh();
  }

  #strongest() {
    let best = 0;
    for (let at = 0; at < this.width * this.height; at++) {
      if (Math.abs(this.shown.values[at * this.maps + this.chosen]) > Math.abs(this.shown.values[best * this.maps + this.chosen])) best = at;
    }
    return best;
  }

  refresh() {
    const { shown, layer, place, chosen } = this, at = place * this.maps + chosen;
    put(this.spot, place % this.width, Math.floor(place / this.width), 1, 1, this.width, this.height);
    const found = arithmeticOf(layer, shown, place, chosen);
    const where = this.height * this.width > 1 ? `Row ${Math.floor(place / this.width) + 1}, column ${(place % this.width) + 1}: ` : "";
    this.value.textContent = `${where}${number(shown.values[at])}`;
    for (const one of [this.source, this.adds]) one.hidden = true;
    if (found.window) this.#showWindow(found);
    if (found.kind === "dense") this.#showDense(found);
    this.sums.replaceChildren(...SUMS[found.kind](found, this), ...activationOf(layer, shown, place, chosen, this.classes));
  }

  #showWindow({ window, parts, rows, columns, channel }) {
    const { shape, values } = this.shown.inputs[0];
    if (parts) {
      const strongest = parts.reduce((most, part) => (Math.abs(part.sum) > Math.abs(most.sum) ? part : most));
      this.part = parts.find(({ map }) => map === this.from) ?? strongest;
    }
    const from = parts ? this.part.map : channel;
    this.#paintSource("the window on a map before", shape, (at) => values[at * shape[2] + from], largest(values));
    put(this.window, window.x, window.y, columns, rows, shape[1], shape[0]);
  }

  #paintSource(caption, [height, width], valueAt, scale) {
    [this.source.hidden, this.source.lastChild.textContent] = [false, caption];
    paintMap(this.input, width, height, valueAt, scale);
  }

  // Where on the maps before the sum comes from, and what the other neurons get.
  #showDense({ parts }) {
    const { layer, chosen, shown: { inputs: [{ values }] } } = this, [length, units] = layer.shape;
    const before = this.#before();
    this.named = (from) => `${from + 1}`;
    if (before.length > 2) {
      const [height, width, maps] = before, sums = new Float64Array(height * width);
      for (const { from, sum } of parts) sums[Math.floor(from / maps)] += sum;
      this.named = (from) => `map ${(from % maps) + 1}, row ${Math.floor(from / maps / width) + 1}, column ${(Math.floor(from / maps) % width) + 1}`;
      this.#paintSource("what each place of the maps before adds", before, (at) => sums[at], largest(sums));
      put(this.window, 0, 0, 0, 0, 1, 1);
    }
    if (units > FEW || values.length > length) return;
    this.adds.hidden = false;
    const adds = layer.kernel.map((weight, at) => weight * values[Math.floor(at / units)]);
    paintMap(this.table, length, units, (at) => adds[(at % length) * units + Math.floor(at / length)], largest(adds));
    put(this.row, 0, chosen, length, 1, length, units);
  }

  // The shape of the maps that a dense layer sees in a row.
  #before() {
    let [at] = this.layer.inputs;
    while (at >= 0 && this.network.layers[at].kind === "reshape") [at] = this.network.layers[at].inputs;
    return at < 0 ? this.all[0].inputs[0].shape : this.all[at].shape;
  }

  #point(event) {
    const box = this.map.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    this.move(Math.min(Math.floor(x * this.width), this.width - 1), Math.min(Math.floor(y * this.height), this.height - 1));
  }

  #key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    this.move((this.place % this.width) + step[0], Math.floor(this.place / this.width) + step[1]);
  }

  move(x, y) {
    const place = y * this.width + x;
    if (x < 0 || y < 0 || x >= this.width || y >= this.height || place === this.place) return;
    this.place = place;
    this.refresh();
  }

  // From the first place to the last, as the kernel does.
  #slide() {
    clearInterval(this.timer);
    if (this.sliding) return this.#stop();
    [this.sliding, this.play.textContent, this.place] = [true, "Stop", 0];
    this.refresh();
    this.timer = setInterval(() => {
      if (this.place + 1 >= this.width * this.height) return this.#stop();
      this.move((this.place + 1) % this.width, Math.floor((this.place + 1) / this.width));
    }, 60);
  }

  #stop() {
    clearInterval(this.timer);
    [this.sliding, this.play.textContent] = [false, "Slide"];
  }
}

function figure(canvas, frame) {
  return make("figure", {}, make("div", { className: "maps" }, canvas, frame), make("figcaption"));
}

function put(frame, x, y, columns, rows, width, height) {
  Object.assign(frame.style, { left: `${(100 * x) / width}%`, top: `${(100 * y) / height}%`, width: `${(100 * columns) / width}%`, height: `${(100 * rows) / height}%` });
}

const line = (words, value, strong = false) => make("tr", { className: strong ? "total" : "" }, make("th", { scope: "row", textContent: words }), make("td", { textContent: number(value) }));
const table = (...rows) => make("table", {}, make("tbody", {}, ...rows));
const paragraph = (textContent) => make("p", { textContent });

function numbers(caption, values, columns) {
  const most = largest(values.filter((value) => value !== null));
  const cell = (value) => {
    const td = make("td", { textContent: value === null ? "" : number(value, 2) });
    if (value !== null) td.style.setProperty("--share", Math.abs(value) / most);
    td.classList.toggle("below", value < 0);
    return td;
  };
  const rows = Array.from({ length: values.length / columns }, (_, row) => make("tr", {}, ...values.slice(row * columns, (row + 1) * columns).map(cell)));
  return make("table", { className: "numbers" }, make("caption", { textContent: caption }), make("tbody", {}, ...rows));
}

// What a number is the sum of, for each kind of layer.
const SUMS = {
  conv({ parts, bias, rows, columns }, detail) {
    const { part } = detail, total = parts.reduce((sum, { sum: one }) => sum + one, 0);
    const products = part.inputs.map((value, at) => value * part.weights[at]);
    const pick = make("select", {}, ...[...parts].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum)).map(({ map, sum }) => make("option", { value: map, textContent: `map ${map + 1} adds ${number(sum)}`, selected: map === part.map })));
    pick.addEventListener("change", () => {
      detail.from = Number(pick.value);
      detail.refresh();
    });
    const several = parts.length > 1;
    const grids = rows * columns > 1 ? [make("div", { className: "grids" }, numbers("numbers", part.inputs, columns), numbers("× weights", part.weights, columns), numbers("= products", products, columns))] : [paragraph(`${number(part.inputs[0])} × ${number(part.weights[0])} = ${number(products[0])}`)];
    const totals = several ? [line(`map ${part.map + 1} adds`, part.sum), line(`all ${count(parts.length)} maps add`, total)] : [line("the products add up to", total)];
    return [...(several ? [make("label", {}, "Of the maps before, look at ", pick)] : []), ...grids, table(...totals, line("bias", bias), line("sum", total + bias, true))];
  },
  dense({ parts, bias }, { named }) {
    const total = parts.reduce((sum, part) => sum + part.sum, 0), shown = parts.slice(0, MOST_TERMS).filter(({ sum }) => sum);
    const rest = total - shown.reduce((sum, part) => sum + part.sum, 0);
    const head = make("tr", {}, ...["number before", "value", "× weight", "= adds"].map((textContent) => make("th", { scope: "col", textContent })));
    const rows = shown.map(({ from, value, weight, sum }) => make("tr", {}, make("th", { scope: "row", textContent: named(from) }), ...[value, weight, sum].map((one) => make("td", { textContent: number(one) }))));
    return [make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)), table(line(`the other ${count(parts.length - shown.length)} add`, rest), line("bias", bias), line("sum", total + bias, true))];
  },
  pool({ inputs, columns, largest: most }) {
    const known = inputs.filter((value) => value !== null);
    const value = most ? Math.max(...known) : known.reduce((sum, one) => sum + one, 0) / known.length;
    return [numbers("numbers in the window", inputs, columns), table(line(most ? "the largest" : `the mean of ${known.length}`, value, true))];
  },
  scale: ({ value, mean, spread, gamma, beta }) => [table(line("number", value), line("− mean in training", mean), line("÷ spread in training", spread), line("× factor", gamma), line("+ shift", beta), line("sum", ((value - mean) / spread) * gamma + beta, true))],
  sum: ({ values, mean }) => [table(...values.map((value, at) => line(`layer ${at + 1} gives`, value)), line(mean ? "mean" : "sum", values.reduce((sum, value) => sum + value, 0) / (mean ? values.length : 1), true))],
  reshape: ({ value }) => [table(line("number", value))],
};

// What the activation makes of the sum; of softmax, with the sums of all classes.
function activationOf(layer, { sums, values, shape }, place, chosen, classes) {
  const maps = shape.at(-1), at = place * maps + chosen;
  if (layer.activation === "linear") return [];
  if (layer.activation !== "softmax") return [table(line(`after ${NAMES[layer.activation] ?? layer.activation}`, values[at], true))];
  const all = [...sums.subarray(place * maps, (place + 1) * maps)], top = Math.max(...all), powers = all.map((sum) => Math.exp(sum - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  const head = make("tr", {}, ...["class", "sum", "e^(sum − largest)", "share"].map((textContent) => make("th", { scope: "col", textContent })));
  const rows = all.map((sum, index) => make("tr", { className: index === chosen ? "total" : "" }, make("th", { scope: "row", textContent: classes[index] ?? index + 1 }), ...[sum, powers[index], powers[index] / total].map((value) => make("td", { textContent: number(value) }))));
  return [paragraph("Softmax raises e to each sum and takes shares of the total:"), make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)), table(line("total", total), line("share", powers[chosen] / total, true))];
}
