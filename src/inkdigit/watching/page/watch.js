// A training as it goes: what the service tells is shown, and what people ask goes back to it.

import { Chart } from "./chart.js";
import { cutDigits } from "./explainer/digit.js";
import { $, count, make, number, percent } from "./explainer/elements.js";
import { Scene, unpack } from "./explainer/film.js";

const EXPERIMENTS = {
  "fewer digits": { name: "Digits", value: 500, min: 10, max: 60_000, step: 1 },
  "wrong labels": { name: "Per cent", value: 30, min: 1, max: 100, step: 1 },
  "no augmentation": null,
};
const known = { curve: [], runs: [], waiting: [] };
const charts = { loss: new Chart("Loss"), accuracy: new Chart("Accuracy", [0, 1]) };
$("charts").append(charts.loss.element, charts.accuracy.element);
let scene = null, frame = 0;

const source = new EventSource("events");
source.addEventListener("message", ({ data }) => take(JSON.parse(data)));
source.addEventListener("error", () => complain("The page has no connection. Is the training still running?"));
source.addEventListener("open", () => complain(""));

async function take({ curve, ...parts }) {
  if (curve) known.curve.splice(curve.from, Infinity, ...curve.points);
  Object.assign(known, parts);
  if (parts.problem) complain(parts.problem);
  if (parts.run) {
    scene = null;
    begin();
    const digits = await cutDigits(known.run.ten);
    scene = new Scene({ ...known.run }, digits.map(({ picture }) => picture));
    $("scene").replaceChildren(scene.element);
    parts = known;
  }
  if (parts.frame) look(parts.frame);
  if (parts.step) look(parts.step);
  if (parts.ended) end();
  frame ||= requestAnimationFrame(show);
}

// What a network is seen to have learned, a part or all of it.
function look({ filters, answers, points }) {
  const seen = Object.entries({ filters, answers, points }).filter(([, part]) => part).map(([name, part]) => [name, unpack(part)]);
  if (seen.length) scene?.show(Object.fromEntries(seen));
}

function begin() {
  const { name, network, digits, epochs, augmentation, batch_size: size, learning_rate: rate } = known.run;
  document.title = `${name} · Inkdigit`;
  $("title").textContent = `${name} learns`;
  $("about").textContent = `The network ${network}, from ${count(digits)} digits, ${epochs} ${epochs > 1 ? "times" : "time"}${augmentation === "none" ? "" : `, each a little changed each time (${augmentation})`}.`;
  [$("rate").value, $("rate").disabled, $("size").value] = [rate ?? "", rate === null, size];
  $("rate").title = rate === null ? "The optimizer or a callback sets it." : "";
}

function show() {
  frame = 0;
  if (!known.run || known.ended) return;
  const { step, run, runs, state: { paused, asked }, waiting } = known, now = runs.at(-1), learning = now?.state === "learning";
  $("pause").textContent = paused ? "Go on" : "Pause";
  $("pause").disabled = $("next").disabled = !learning;
  $("one").disabled = !paused || !learning;
  $("where").textContent = learning && step ? `${paused ? "Paused. " : ""}Epoch ${step.epoch} of ${run.epochs}, step ${count(step.step)} of ${count(run.steps)}. Learning rate ${step.rate.toPrecision(2)}.` : learning ? "It begins." : "Done. Start an experiment, or end with Ctrl-C.";
  $("progress").value = learning && step ? (step.epoch - 1 + step.step / run.steps) / run.epochs : learning ? 0 : 1;
  const words = Object.entries(asked).map(([name, value]) => `${name.replace("_", " ")} ${value}`).join(", ");
  $("asked").textContent = words && `Waits for the next epoch: ${words}.`;
  $("waiting").textContent = waiting.length ? `Waiting: ${waiting.join(", ")}.` : "";
  showRuns();
}

function showRuns() {
  const { runs, curve } = known, last = runs.length - 1;
  const epochs = Math.max(known.run.epochs, ...runs.flatMap(({ rows }) => rows.map(({ epoch }) => epoch)));
  for (const [figure, place] of [["loss", 1], ["accuracy", 2]]) {
    charts[figure].show(runs.map(({ rows }, at) => ({
      steps: at === last ? curve.filter((point) => point[place] !== null).map((point) => [point[0], point[place]]) : [],
      epochs: rows.map((row) => [row.epoch, row[`validation_${figure}`]]).filter(([, value]) => value !== null),
    })), epochs);
  }
  const state = JSON.stringify(runs);
  if (state === known.shown) return;
  known.shown = state;
  const cells = (kind, texts) => texts.map((text) => make(kind, { textContent: text, ...(kind === "th" ? { scope: "col" } : {}) }));
  const row = ({ name, rows, state: how, tested, changes }, at) => {
    const best = rows.at(-1), words = changes.map(({ epoch, ...changed }) => `from epoch ${epoch}: ${Object.entries(changed).map(([what, value]) => `${what.replace("_", " ")} ${value}`).join(", ")}`);
    const head = make("th", { scope: "row" }, make("span", { className: `swatch run-${at % 6}`, "aria-hidden": "true" }), name);
    return make("tr", {}, head, ...cells("td", [rows.length, best ? number(best.validation_loss ?? NaN, 3) : "", best ? percent(best.validation_accuracy) : "", tested === undefined ? how : percent(tested), words.join("; ")]));
  };
  const head = make("tr", {}, ...cells("th", ["Run", "Epochs", "Validation loss", "Accuracy", "Test half", "Changed by hand"]));
  $("table").replaceChildren(make("thead", {}, head), make("tbody", {}, ...runs.map(row)));
  const best = runs.at(-1)?.rows.at(-1);
  if (best) $("spoken").textContent = `After epoch ${best.epoch}: loss ${number(best.validation_loss ?? NaN, 3)}, ${percent(best.validation_accuracy)} right.`;
}

function end() {
  source.close();
  $("where").textContent = "Ended.";
  complain("The training has ended, and this page is no longer served. What it shows stays.");
  for (const button of document.querySelectorAll("button, input, select")) button.disabled = true;
}

function complain(words) {
  $("problem").hidden = !words;
  $("problem").textContent = words;
}

async function ask(path, body) {
  try {
    const response = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const { detail = "" } = response.ok ? {} : await response.json();
    complain(detail && `${detail[0].toUpperCase()}${detail.slice(1)}.`);
  } catch {
    complain("The training does not answer. Is it still running?");
  }
}

function showAmount() {
  const about = EXPERIMENTS[$("kind").value];
  $("amount-label").hidden = $("amount").disabled = !about;
  if (about) Object.assign($("amount"), { ...about, name: "" });
  if (about) $("amount-name").textContent = about.name;
}

$("pause").addEventListener("click", () => ask("pause", { paused: !known.state.paused }));
$("one").addEventListener("click", () => ask("pause", { paused: true, steps: 1 }));
$("kind").addEventListener("change", showAmount);
$("knobs").addEventListener("submit", (event) => {
  event.preventDefault();
  const { learning_rate: rate, batch_size: size } = known.run, asked = {};
  if (!$("rate").disabled && Number($("rate").value) !== rate) asked.learning_rate = Number($("rate").value);
  if (Number($("size").value) !== size) asked.batch_size = Number($("size").value);
  ask("change", asked);
});
$("experiment").addEventListener("submit", (event) => {
  event.preventDefault();
  ask("experiment", { kind: $("kind").value, amount: Number($("amount").value) || 0 });
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => look(known.frame ?? {}));
showAmount();
