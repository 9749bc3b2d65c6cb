// What a network says of a digit: its likeliest class, and the probability of each as a bar.

import { make, percent } from "./elements.js";

export class Answer {
  constructor(network) {
    this.network = network;
    this.heading = make("h2");
    this.bars = make("ol", { className: "bars", "aria-label": `Probability of each class, by ${network.label}` });
    this.rows = network.classes.map((name) => {
      const [bar, share] = [make("i"), make("b")];
      return { bar, share, row: make("li", {}, make("span", { textContent: name === "none" ? "–" : name, title: name }), bar, share) };
    });
    if (network.complete) this.bars.append(...this.rows.map(({ row }) => row));
    this.element = make("div", { className: "card" }, make("p", { className: "name", textContent: network.label }), this.heading, this.bars);
  }

  show(maps) {
    const { classes, complete } = this.network;
    if (!complete) return void (this.heading.textContent = "The answer cannot be computed here");
    const { values } = maps.at(-1), top = values.indexOf(Math.max(...values));
    this.said = `${classes[top]}, ${percent(values[top])}`;
    this.heading.textContent = this.said;
    this.rows.forEach(({ row, bar, share }, at) => {
      row.className = at === top ? "top" : "";
      bar.style.setProperty("--share", `${100 * values[at]}%`);
      share.textContent = percent(values[at]);
    });
  }
}
