// From what is written, dropped or chosen to its reading; the latest answer wins.

import { asText, placeNumbers, showNumbers } from "./numbers.js";
import { Pad } from "./pad.js";
import { choose, element, showBoxes, showReading } from "./reading.js";
import { read, useKey } from "./service.js";

const PAUSE = 160;
const $ = (id) => document.getElementById(id);
const pad = new Pad($("pad"), $("pen"), () => later(PAUSE));

let file = null; // the picture that is read instead of the paper
let asked = null; // what aborts the question that is being asked
let timer = 0;
let shown = null; // the reading
let tabled = null; // the file whose numbers were shown last
let chosen = null; // the character of it whose bars are shown

function later(milliseconds) {
  clearTimeout(timer);
  asked?.abort();
  $("hint").hidden = !pad.empty || Boolean(file);
  $("undo").disabled = pad.empty || Boolean(file);
  $("clear").disabled = pad.empty && !file;
  $("reading").classList.add("stale");
  timer = setTimeout(ask, milliseconds);
}

async function ask() {
  if (!file && pad.empty) return showEmpty();
  asked?.abort();
  const question = (asked = new AbortController());
  const own = rules();
  try {
    const source = file ?? (await asBlob(pad.picture()));
    const answer = await read(source, own, question.signal);
    if (!question.signal.aborted) show(answer);
  } catch (error) {
    if (error.name !== "AbortError" && !question.signal.aborted) refuse(error);
  }
}

function rules() {
  return { pattern: $("pattern").value.trim(), check: $("check").value.trim(), single: $("single").checked, find: $("find").checked };
}

const asBlob = (canvas) => new Promise((resolve) => canvas.toBlob(resolve, "image/png"));

// Showing

function showEmpty() {
  shown = null;
  only("empty");
  $("boxes").replaceChildren();
  $("spoken").textContent = "The paper is empty.";
}

function only(part) {
  for (const id of ["empty", "reading", "numbers", "notice"]) $(id).hidden = id !== part;
  $("paper").classList.toggle("whole", part === "numbers" && Boolean(file));
}

function show(answer) {
  if (answer.rows) {
    shown = answer;
    only("numbers");
    showNumbers(answer.rows, file && file === tabled);
    tabled = file;
    return place();
  }
  if (!answer.pages) return showPage(answer);
  showDocument(answer);
  showPage(answer.pages[0]);
}

function showPage(reading) {
  shown = reading;
  only("reading");
  $("reading").classList.remove("stale");
  showReading(reading, pick);
  place();
  $("detail").hidden = !reading.characters.length;
  if (reading.characters.length) pick(weakest(reading.characters));
}

const weakest = (characters) => characters.reduce((least, { confidence }, i) => (confidence < characters[least].confidence ? i : least), 0);

function pick(number) {
  choose(shown, number);
  showInput((chosen = shown.characters[number]));
}

function place() {
  const picture = $("picture");
  if (!shown || !$("document").hidden) return $("boxes").replaceChildren();
  const boxes = shown.rows ? placeNumbers : (where) => showBoxes(shown, where);
  if (!file) return boxes({ left: 0, top: 0, scale: 1 });
  if (!picture.naturalWidth) return;
  const scale = Math.min(picture.clientWidth / picture.naturalWidth, picture.clientHeight / picture.naturalHeight);
  const left = picture.offsetLeft + (picture.clientWidth - scale * picture.naturalWidth) / 2;
  const top = picture.offsetTop + (picture.clientHeight - scale * picture.naturalHeight) / 2;
  boxes({ left, top, scale });
}

// The chosen digit alone, as the digit network is shown it.
async function showInput(character) {
  const { value, box: [x, y, width, height] } = character;
  const figure = $("input").closest("figure");
  $("input").removeAttribute("src");
  if (!/\d/.test(value) || (file && !$("picture").naturalWidth)) return void (figure.hidden = true);
  const source = file ? $("picture") : pad.picture();
  const edge = Math.round(file ? 0.1 * height : 0);
  const crop = document.createElement("canvas");
  [crop.width, crop.height] = [width + 2 * edge, height + 2 * edge];
  crop.getContext("2d").drawImage(source, x - edge, y - edge, crop.width, crop.height, 0, 0, crop.width, crop.height);
  try {
    const answer = await read(await asBlob(onWhite(crop, file ? 0 : 0.3 * height)), { single: true, shown: true });
    if (character !== chosen) return;
    $("input").src = `data:image/png;base64,${answer.shown}`;
    figure.hidden = false;
  } catch {
    figure.hidden = true;
  }
}

function onWhite(crop, margin) {
  const sheet = document.createElement("canvas");
  [sheet.width, sheet.height] = [crop.width + 2 * margin, crop.height + 2 * margin];
  const context = sheet.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.drawImage(crop, margin, margin);
  return sheet;
}

function showDocument({ source, pages }) {
  const rows = pages.map((page, number) => {
    const button = element("button", { type: "button" },
      element("span", { textContent: `Page ${page.page}` }), element("b", { textContent: page.text || "–" }), element("i", { textContent: page.status }));
    button.setAttribute("aria-pressed", number === 0);
    button.addEventListener("click", () => {
      for (const other of $("document").querySelectorAll("button")) other.setAttribute("aria-pressed", other === button);
      showPage(page);
    });
    return element("li", {}, button);
  });
  $("picture").hidden = true;
  $("document").hidden = false;
  $("document").classList.remove("bare");
  $("document").replaceChildren(element("h2", { textContent: `${source}, ${pages.length} pages` }), element("ol", {}, ...rows));
}

function refuse(error) {
  const kind = error.kind ?? "refused";
  $("notice-text").textContent = error.message;
  $("spoken").textContent = ""; // the notice is spoken by itself
  $("notice").className = `notice ${kind}`;
  $("key-form").hidden = kind !== "key";
  $("again").hidden = kind !== "gone";
  [$("notice").hidden, $("empty").hidden] = [false, true];
  if (kind === "refused") {
    shown = null;
    only("notice");
    $("boxes").replaceChildren();
  }
  if (error.seconds) later(1000 * error.seconds);
}

// Pictures

function open(chosen) {
  if (!chosen) return;
  file = chosen;
  const picture = $("picture");
  URL.revokeObjectURL(picture.src);
  picture.removeAttribute("src");
  [picture.hidden, $("document").hidden] = [false, true];
  $("paper").classList.add("pictured");
  $("pad").hidden = true;
  picture.onload = () => shown && (shown.rows ? place() : showPage(shown));
  // What the browser cannot show, such as PDF and TIFF, is read all the same.
  picture.onerror = () => {
    picture.hidden = true;
    picture.removeAttribute("src");
    if (!$("document").hidden) return;
    $("document").hidden = false;
    $("document").classList.add("bare");
    $("document").replaceChildren(element("h2", { textContent: chosen.name || "A picture" }));
  };
  picture.src = URL.createObjectURL(chosen);
  later(0);
}

function close() {
  file = null;
  $("paper").classList.remove("pictured");
  [$("picture").hidden, $("document").hidden, $("pad").hidden] = [true, true, false];
  pad.clear();
  showEmpty();
}

$("photograph").hidden = !navigator.maxTouchPoints;
for (const [button, input] of [["choose", "file"], ["photograph", "camera"]]) {
  $(button).addEventListener("click", () => $(input).click());
  $(input).addEventListener("change", () => {
    open($(input).files[0]);
    $(input).value = "";
  });
}
document.addEventListener("paste", (event) => {
  const pasted = event.clipboardData.files[0];
  if (pasted) event.preventDefault();
  open(pasted);
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("paper").classList.toggle("over", kind === "dragover");
    if (kind === "drop") open(event.dataTransfer.files[0]);
  });
}
$("example").addEventListener("click", async () => {
  const example = await (await fetch("page/example.png")).blob();
  open(new File([example], "example.png", { type: "image/png" }));
});

// Tools

$("width").addEventListener("input", () => (pad.width = Number($("width").value)));
$("undo").addEventListener("click", () => pad.undo());
$("clear").addEventListener("click", close);
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input");
  if ((event.ctrlKey || event.metaKey) && event.key === "z" && !typing && !file && !pad.empty) {
    event.preventDefault();
    pad.undo();
  }
});
addEventListener("resize", place);

$("again").addEventListener("click", ask);
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey($("key").value);
  ask();
});

for (const [button, text] of [["copy-text", () => shown.text ?? ""], ["copy-table", asText], ["copy-json", () => JSON.stringify(shown, null, 2)]]) {
  $(button).addEventListener("click", async () => {
    const label = $(button).textContent;
    await copy(text());
    $(button).textContent = "Copied";
    setTimeout(() => ($(button).textContent = label), 1200);
  });
}

async function copy(text) {
  // Only pages of this machine or over TLS have the clipboard.
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = element("textarea", { value: text });
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

// Rules

const TICKS = ["single", "find"];
const kinds = [...$("kinds").querySelectorAll("button")];
for (const kind of kinds) {
  kind.addEventListener("click", () => {
    [$("pattern").value, $("check").value] = [kind.dataset.pattern, kind.dataset.check];
    for (const tick of TICKS) $(tick).checked = tick in kind.dataset;
    rulesChanged();
  });
}
for (const field of ["pattern", "check", ...TICKS]) $(field).addEventListener("input", rulesChanged);

function rulesChanged() {
  const now = rules();
  for (const kind of kinds) {
    const same = kind.dataset.pattern === now.pattern && kind.dataset.check === now.check && TICKS.every((tick) => tick in kind.dataset === now[tick]);
    kind.setAttribute("aria-pressed", same);
  }
  later(PAUSE);
}
