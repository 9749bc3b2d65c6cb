// The paper: strokes by pen, finger, mouse or keyboard, kept as points so that they can be undone.

const STEP = 12;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pad {
  constructor(canvas, pen, onChange) {
    Object.assign(this, { canvas, pen, onChange, strokes: [], width: 10, active: null });
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    canvas.addEventListener("pointerdown", (event) => this.#begin(event));
    canvas.addEventListener("pointermove", (event) => this.#go(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.#end(event));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#lift());
  }

  get empty() { return this.strokes.length === 0; }

  undo() { this.strokes.pop(); this.#changed(); }

  clear() { this.strokes = []; this.#lift(); this.#changed(); }

  draw() {
    const { clientWidth, clientHeight } = this.canvas;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    paint(context, this.strokes, getComputedStyle(this.canvas).getPropertyValue("--ink"));
  }

  // What is sent: black on white, whatever the page looks like, a pixel for each of the page's.
  picture() {
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    const context = sheet.getContext("2d", { willReadFrequently: true });
    context.fillStyle = "#fff";
    context.fillRect(0, 0, sheet.width, sheet.height);
    paint(context, this.strokes, "#000");
    return sheet;
  }

  #begin(event) {
    if (this.active !== null || event.button > 0) return;
    this.active = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.#lift();
    this.strokes.push({ width: this.width, points: [[event.offsetX, event.offsetY]] });
    this.#changed();
  }

  #go(event) {
    if (event.pointerId !== this.active) return;
    const stroke = this.strokes.at(-1);
    if (!stroke) return;
    const edge = this.canvas.getBoundingClientRect();
    const steps = event.getCoalescedEvents?.() ?? [];
    for (const step of steps.length ? steps : [event]) {
      stroke.points.push([step.clientX - edge.left, step.clientY - edge.top]);
    }
    this.#changed();
  }

  #end(event) {
    if (event.pointerId === this.active) this.active = null;
  }

  #key(event) {
    const move = MOVES[event.key];
    if (!move && ![" ", "Delete", "Backspace"].includes(event.key)) return;
    event.preventDefault();
    if (event.key === "Delete" || event.key === "Backspace") return this.clear();
    const at = this.at ?? [this.canvas.clientWidth / 4, this.canvas.clientHeight / 4];
    const step = event.shiftKey ? STEP / 3 : STEP;
    this.at = move ? at.map((value, axis) => value + step * move[axis]) : at;
    if (event.key === " ") {
      this.keyed = this.keyed ? null : { width: this.width, points: [] };
      if (this.keyed) this.strokes.push(this.keyed);
    }
    if (this.keyed) {
      this.keyed.points.push([...this.at]);
      this.#changed();
    }
    this.#showPen();
  }

  #lift() {
    this.keyed = null;
    this.pen.hidden = true;
  }

  #showPen() {
    this.pen.hidden = false;
    this.pen.classList.toggle("down", Boolean(this.keyed));
    this.pen.style.left = `${this.at[0]}px`;
    this.pen.style.top = `${this.at[1]}px`;
  }

  #changed() {
    this.draw();
    this.onChange();
  }
}

function paint(context, strokes, colour) {
  Object.assign(context, { lineCap: "round", lineJoin: "round", strokeStyle: colour });
  for (const { width, points } of strokes) {
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(...points[0]);
    for (let i = 1; i < points.length - 1; i++) {
      const middle = [0, 1].map((axis) => (points[i][axis] + points[i + 1][axis]) / 2);
      context.quadraticCurveTo(...points[i], ...middle);
    }
    context.lineTo(...points.at(-1));
    context.stroke();
  }
}
