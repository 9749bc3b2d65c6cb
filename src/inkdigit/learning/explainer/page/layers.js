// The layers of a network as rows of maps.

import { count, gridOf, make, paintMaps } from "./elements.js";

// A layer that only passes on or rearranges what it gets has no picture of its own.
const isShown = (layer) => layer.kind !== "reshape" || layer.activation !== "linear";
const sizes = (shape) => shape.map(count).join(" × ");

function told(layer, shape) {
  const then = layer.activation === "linear" ? "" : ` Then ${ACTIVATION_WORDS[layer.activation]}.`;
  return `${LAYER_WORDS[layer.kind](layer, shape)}${then}`;
}

const LAYER_WORDS = {
  conv: ({ shape: [rows, columns, , filters], groups }) => `${count(filters)} kernels of ${rows} × ${columns} slide over ${groups > 1 ? "a map each" : "all maps before"}.`,
  dense: ({ shape: [length, units] }) => `Each of ${count(units)} neurons adds up all ${count(length)} numbers before it, each times its weight.`,
  pool: ({ size, largest: most }) => `${size ? `Of each ${size.join(" × ")} numbers` : "Of each map"} the ${most ? "largest is kept" : "mean is taken"}.`,
  scale: () => "Each map is shifted and scaled, by what was usual for it in training.",
  sum: ({ mean, inputs }) => `${mean ? "The mean" : "The sum"} of ${inputs.length} layers.`,
  reshape: () => "",
};
const ACTIVATION_WORDS = {
  relu: "whatever is below zero becomes zero (ReLU)", leaky_relu: "whatever is below zero becomes smaller (leaky ReLU)",
  elu: "whatever is below zero is bent towards −1 (ELU)", tanh: "tanh presses the numbers between −1 and 1",
  sigmoid: "a sigmoid presses the numbers between 0 and 1", silu: "each number is weighed by its own sigmoid (SiLU)",
  softplus: "softplus bends the numbers above zero", softmax: "softmax turns the sums into probabilities",
};

// The rows of one network. `choose` is told which layer and map are pointed at.
export class Column {
  constructor(network, choose) {
    this.network = network;
    this.rows = network.layers.map((layer, at) => new Row(layer, (map) => choose(at, map)));
    const missing = network.missing ? [make("p", { className: "notice busy", textContent: `${network.missing}.` })] : [];
    this.element = make("div", { className: "column" }, make("h3", { textContent: network.label }), ...this.rows.map((row) => row.element), ...missing);
  }

  // The first layer that has a picture; -1 where there is none.
  get first() { return this.rows.findIndex((row) => row.canvas); }

  show(maps) { this.rows.forEach((row, at) => row.show(maps[at])); }

  mark(layer, map) { this.rows.forEach((row, at) => row.mark(at === layer ? map : -1)); }
}

class Row {
  constructor(layer, choose) {
    Object.assign(this, { layer, choose, chosen: -1 });
    this.size = make("small");
    this.words = make("p");
    const name = make("h4", {}, layer.name, " ", this.size);
    this.element = make("div", { className: "layer" }, name, this.words);
    if (!isShown(layer)) return;
    this.canvas = make("canvas", { tabIndex: 0, role: "slider", "aria-label": `Maps of ${layer.name}`, "aria-valuemin": "1" });
    this.frame = make("div", { className: "frame", hidden: true });
    this.canvas.addEventListener("pointermove", (event) => this.#point(event));
    this.canvas.addEventListener("pointerdown", (event) => this.#point(event));
    this.canvas.addEventListener("focus", () => this.chosen < 0 && choose(0));
    this.canvas.addEventListener("keydown", (event) => this.#key(event));
    this.element.append(make("div", { className: "maps" }, this.canvas, this.frame));
  }

  show(map) {
    if (!this.grid) {
      this.grid = gridOf(map.shape);
      this.size.textContent = `${this.layer.type} · ${sizes(map.shape)}`;
      this.words.textContent = told(this.layer, map.shape) || "This layer passes on what it gets.";
      this.canvas?.setAttribute("aria-valuemax", this.grid.maps);
      if (this.canvas) this.canvas.parentElement.style.maxWidth = `${this.grid.columns * Math.max(56, 3 * this.grid.width)}px`;
    }
    if (this.canvas) paintMaps(this.canvas, map);
  }

  mark(map) {
    this.chosen = map;
    if (!this.canvas) return;
    this.frame.hidden = map < 0;
    const { columns, rows, across, down } = this.grid, [wide, high] = [columns * across - 1, rows * down - 1];
    const [left, top] = [(map % columns) * across, Math.floor(map / columns) * down];
    Object.assign(this.frame.style, { left: `${(100 * left) / wide}%`, top: `${(100 * top) / high}%`, width: `${(100 * (across - 1)) / wide}%`, height: `${(100 * (down - 1)) / high}%` });
    this.canvas.setAttribute("aria-valuenow", Math.max(map, 0) + 1);
    this.canvas.setAttribute("aria-valuetext", `Map ${Math.max(map, 0) + 1} of ${this.grid.maps}`);
  }

  #point(event) {
    const { columns, rows, maps } = this.grid, box = this.canvas.getBoundingClientRect();
    const [column, row] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    const map = Math.min(Math.floor(row * rows), rows - 1) * columns + Math.min(Math.floor(column * columns), columns - 1);
    if (map >= 0 && map < maps && map !== this.chosen) this.choose(map);
  }

  #key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.grid.columns, ArrowDown: this.grid.columns }[event.key];
    const to = { Home: 0, End: this.grid.maps - 1 }[event.key] ?? (step && this.chosen + step);
    if (to === undefined) return;
    event.preventDefault();
    if (to >= 0 && to < this.grid.maps) this.choose(to);
  }
}
