// A figure over epochs, of several runs: thin as steps pass, with points after each epoch.

import { make, svg } from "./explainer/elements.js";

const WIDE = 520, HIGH = 260, LEFT = 52, RIGHT = 14, TOP = 14, BOTTOM = 30;

export class Chart {
  // `bounds` are the least and most of a figure that has such.
  constructor(title, bounds) {
    Object.assign(this, { bounds });
    this.plot = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img" });
    this.title = title;
    this.element = make("figure", { className: "chart" }, make("h3", { textContent: title }), this.plot);
  }

  // `lines` are of one run each: { steps: [[x, y]], epochs: [[x, y]] }.
  show(lines, epochs) {
    const values = lines.flatMap(({ steps, epochs: points }) => [...steps, ...points]).map(([, y]) => y);
    const [low, high] = this.bounds ?? [0, Math.max(0.1, ...values)];
    const x = (epoch) => LEFT + (epoch / epochs) * (WIDE - LEFT - RIGHT);
    const y = (value) => HIGH - BOTTOM - ((value - low) / (high - low)) * (HIGH - TOP - BOTTOM);
    const path = (points) => points.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    const rule = (value) => [
      svg("line", { x1: LEFT, x2: WIDE - RIGHT, y1: y(value), y2: y(value), class: "grid" }),
      svg("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, value.toFixed(high - low < 4 ? 2 : 0)),
    ];
    const each = Math.ceil(epochs / 12), ticks = Array.from({ length: Math.floor(epochs / each) + 1 }, (_, at) => at * each);
    this.plot.replaceChildren(
      ...[0, 0.25, 0.5, 0.75, 1].flatMap((share) => rule(low + share * (high - low))),
      ...ticks.map((epoch) => svg("text", { x: x(epoch), y: HIGH - 10, "text-anchor": "middle" }, String(epoch))),
      ...lines.flatMap(({ steps, epochs: points }, run) => [
        svg("polyline", { points: path(steps), class: `steps run-${run % 6}` }),
        svg("polyline", { points: path(points), class: `epochs run-${run % 6}` }),
        ...points.map(([at, value]) => svg("circle", { cx: x(at), cy: y(value), r: 3.5, class: `run-${run % 6}` })),
      ]));
    const last = lines.at(-1)?.epochs.at(-1);
    this.plot.setAttribute("aria-label", `${this.title} by epoch${last ? `: ${last[1].toFixed(4)} after epoch ${last[0]}` : ""}`);
  }
}
