// From a digit that is drawn, dropped or taken from the test half to all that is shown of it.

import { Pad } from "./pad.js";
import { Answer } from "./answer.js";
import { cutDigits, digitOn, openPicture } from "./digit.js";
import { $, count, paintMap } from "./elements.js";
import { Detail } from "./detail.js";
import { Failures } from "./failures.js";
import { Film } from "./film.js";
import { Column } from "./layers.js";
import { Frames, lineOn, written } from "./line.js";
import { Network } from "./network.js";
import { EXPLANATIONS, Reasons } from "./why.js";

const DRAWN = "What you drew";
const SOON = 250; // milliseconds without a stroke, before what takes longer is computed
const facts = JSON.parse($("facts").textContent);
const networks = facts.networks.map((described) => new Network(described));
const pad = new Pad($("pad"), $("pen"), () => { frame ||= requestAnimationFrame(drawn); });
pad.width = 22;
// For the console of the browser: what there is to try things on.
globalThis.inkdigit = { Network, networks, explanations: EXPLANATIONS, digitOn, lineOn, pad };
const detail = new Detail($("detail"));
let digit = null, all = [], timer = 0, frame = 0, place = 0, caption = "";

const columns = networks.map((network, at) => new Column(network, (layer, map) => choose(at, layer, map)));
const answers = networks.map((network) => new (facts.lines ? Frames : Answer)(network));
const readyFrom = facts.lines ? lineOn : digitOn;
let reasons = [], failures = [];

function drawn() {
  frame = 0;
  $("hint").hidden = !pad.empty;
  for (const name of ["undo", "clear"]) $(name).disabled = pad.empty;
  const found = pad.empty ? null : readyFrom(pad.picture());
  if (found) show(found, DRAWN);
  else if (caption === DRAWN) blank();
}

// Blank paper has no answer.
function blank() {
  clearTimeout(timer);
  document.body.classList.add("blank");
  [digit, caption] = [null, ""];
  for (const place of ["seen-caption", "spoken"]) $(place).textContent = "The paper is blank";
}

function show(found, words) {
  [digit, caption] = [found, words];
  document.body.classList.remove("blank");
  all = networks.map((network, at) => network.run(digit, all[at]));
  const [height, width] = digit.shape;
  paintMap($("seen"), width, height, (at) => digit.values[at], 1);
  $("seen-caption").textContent = `${caption}, shown to the network in ${width} × ${height} pixels`;
  networks.forEach((_, at) => {
    columns[at].show(all[at]);
    answers[at].show(all[at]);
  });
  detail.show(all[detail.at ?? 0], networks[detail.at ?? 0].classes);
  clearTimeout(timer);
  timer = setTimeout(later, SOON);
}

// What takes longer than a stroke may.
function later() {
  networks.forEach((network, at) => {
    if (!network.complete || facts.lines) return;
    reasons[at]?.show(digit, all[at]);
    failures[at]?.show(network.features(all[at]));
  });
  $("spoken").textContent = answers.map(({ said, network }) => (said ? `${network.label} says ${said}.` : "")).join(" ");
}

function chooseFirst() {
  const first = columns[0].first;
  $("detail").hidden = first < 0;
  if (first >= 0) choose(0, first, 0);
}

function choose(at, layer, map) {
  $("detail").hidden = false;
  columns.forEach((column, number) => column.mark(number === at ? layer : -1, map));
  detail.at = at;
  detail.choose(networks[at], networks[at].layers[layer], map);
  detail.show(all[at], networks[at].classes);
}

function open({ picture, label, at }) {
  pad.strokes = [];
  pad.draw();
  drawn();
  show(picture, `Test digit ${at + 1}, a ${label}`);
}

async function openFile(file) {
  if (!file) return;
  try {
    const found = readyFrom(await openPicture(file));
    if (!found) throw new Error("There is nothing on this picture.");
    show(found, file.name);
  } catch (error) {
    $("seen-caption").textContent = error.name === "InvalidStateError" ? "This is no picture that the browser can open." : error.message;
  }
}

function tell() {
  const names = networks.map(({ label }) => label).join(" and ");
  $("title").textContent = `Inside ${names}`;
  document.title = `${names} · Inkdigit`;
  const sizes = networks.map(({ label, parameters, macs }) => `${label} has ${count(parameters)} parameters${macs ? ` and multiplies ${count(macs)} times for ${facts.lines ? "a square of the line" : "a digit"}` : ""}.`);
  $("about").textContent = `${facts.lines ? "Write a number" : "Draw a digit"} and see what each layer makes of it, down to the single number. ${sizes.join(" ")}`;
}

async function begin() {
  tell();
  $("answers").append(...answers.map(({ element }) => element));
  $("columns").append(...columns.map(({ element }) => element));
  const [test, ...known] = await Promise.all([facts.digits, ...facts.known].map(cutDigits));
  const digits = { ...facts.digits, test };
  await beginFilms();
  if (facts.lines) return beginWithLines(digits);
  const trainOf = ({ known: at }) => ({ train: known[at], data: facts.known[at].data });
  reasons = networks.map((network) => (network.complete ? new Reasons(network, trainOf(network)) : null));
  for (const part of document.querySelectorAll("#why, a[href='#why']")) part.hidden = !reasons.some(Boolean);
  failures = networks.map((network) => new Failures(network, digits, (one) => { open(one); $("draw").scrollIntoView(); }));
  $("reasons").append(...reasons.filter(Boolean).map(({ element }) => element));
  $("mistakes").append(...failures.map(({ element }) => element));
  $("another").addEventListener("click", () => open(test[(place = (place + 37) % facts.digits.sample)]));
  open(test[0]);
  chooseFirst();
  for (const one of reasons) await one?.meetDigits();
}

// Of runs that kept snapshots: what they had learned after each epoch.
async function beginFilms() {
  const kept = networks.filter(({ film }) => film);
  const films = await Promise.all(kept.map(async (network) => new Film(network, (await cutDigits(network.film.ten)).map(({ picture }) => picture))));
  $("films").append(...films.map(({ element }) => element));
  for (const part of document.querySelectorAll("#learned, a[href='#learned']")) part.hidden = !films.length;
}

// Of lines the page shows what frames say; explanations and mistakes are of digits.
function beginWithLines({ test }) {
  document.body.classList.add("lines");
  pad.width = 7;
  for (const part of [...document.querySelectorAll("#why, #failures, nav")]) part.hidden = true;
  $("hint").firstChild.textContent = "Write a number";
  $("another").textContent = "Test digits";
  const another = () => {
    const some = Array.from({ length: 5 }, () => test[(place = (place + 37) % facts.digits.sample)]);
    pad.strokes = [];
    pad.draw();
    drawn();
    show(lineOn(written(some)), `The test digits ${some.map(({ label }) => label).join(" ")}`);
  };
  $("another").addEventListener("click", another);
  another();
  chooseFirst();
}

$("undo").addEventListener("click", () => pad.undo());
$("clear").addEventListener("click", () => pad.clear());
$("choose").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => {
  openFile($("file").files[0]);
  $("file").value = ""; // so that the same one can be chosen again
});
$("paper").addEventListener("dragover", (event) => event.preventDefault());
$("paper").addEventListener("drop", (event) => {
  event.preventDefault();
  openFile(event.dataTransfer.files[0]);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => digit && show(digit, caption));
begin();
