// The fields of a form: drawn, moved and described on its blank, and saved whole.

const SNAP = 7, LEAST = 1, STEP = 0.5, ZOOM = 1.25; // pixels; mm; mm; times
const OF_BOX = ["left", "top", "width", "height"];
const NAME = /[\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}\p{N}_]+)*(?![\p{L}\p{N}_]|\s*\()/gu; // of a field in a rule, which sum( is not
const $ = (id) => document.getElementById(id);
const sheet = $("sheet"), form = $("field").elements;

let template, digest, found; // as they were opened; boxes found on each page
let saved = ""; // the template that is on the disk
let page = 1, chosen = -1, zoom = 0;
let past = [], future = [];
let drag = null; // what the pointer does, from where, with which box
let checking = 0;

const fields = () => template.fields;
const field = () => template.fields[chosen];
const rounded = (mm) => Math.round(mm * 100) / 100;
const sentence = (text) => text && `${text[0].toUpperCase()}${text.slice(1)}.`;
const here = () => fields().map((one, at) => ({ one, at })).filter(({ one }) => one.page === page);

async function ask(path, body) {
  const how = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, how).catch(() => {
    throw new Error("The editor does not answer. Start it again with the same command, then press Ctrl C here and Ctrl V on its new page: that takes your changes along");
  });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.detail), { gone: response.status === 409 });
  return answer;
}

// Changes, each of which can be taken back

function change(make) {
  const before = JSON.stringify(template);
  make();
  if (JSON.stringify(template) !== before) [past, future] = [[...past, before], []];
  show();
}

function travel(from, to) {
  if (!from.length) return;
  to.push(JSON.stringify(template));
  template = JSON.parse(from.pop());
  chosen = Math.min(chosen, fields().length - 1);
  show();
}

function add(box) {
  const taken = new Set(fields().map(({ name }) => name));
  let number = fields().length + 1;
  while (taken.has(`f${number}`)) number += 1;
  const like = found[page - 1].find((one) => one.box.every((side, at) => Math.abs(side - box[at]) < STEP));
  const of_comb = like?.kind === "comb" ? { cells: like.cells, ...(like.gap && { gap: like.gap }) } : {};
  change(() => {
    fields().push({ name: `f${number}`, page, box: (like?.box ?? box).map(rounded), kind: like?.kind ?? "number", ...of_comb });
    chosen = fields().length - 1;
  });
  form.name.select();
}

const remove = () => field() && change(() => {
  fields().splice(chosen, 1);
  chosen = -1;
});

// What a field is called in rules as well, unless that says two fields.
function rename(one, name) {
  const others = fields().filter((other) => other !== one).map((other) => other.name);
  if (!name || others.includes(name) || others.includes(one.name)) return;
  template.rules &&= template.rules.map((rule) => rule.replace(NAME, (word) => (word === one.name ? name : word)));
}

const put = (box) => change(() => (field().box = box.map(rounded)));

const isFree = ({ box }) => here().every(({ one }) => [0, 1].some((i) => Math.min(box[i] + box[i + 2], one.box[i] + one.box[i + 2]) - Math.max(box[i], one.box[i]) <= 0.5));

// What is shown

function element(kind, attributes, ...inside) {
  const made = document.createElementNS(sheet.namespaceURI, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

const rect = ([x, y, width, height], kind) => element("rect", { x, y, width, height, class: kind });

function drawn(one, at) {
  const [left, top, width, height] = one.box, cells = one.cells ?? 1, gap = one.gap ?? 0;
  const step = (width + gap) / cells;
  const edges = Array.from({ length: cells - 1 }, (_, i) => left + (i + 1) * step);
  const lines = edges.map((x) => `M${x} ${top}v${height}M${x - gap} ${top}v${height}`).join("");
  const words = one.kind === "comb" ? `comb of ${cells} cells` : one.kind ?? "number";
  const parts = [rect(one.box, "whole"), element("path", { d: lines }), element("text", { x: left, y: top - 0.7 }, one.name)];
  const size = 7 / scale();
  if (at === chosen) for (const [x, y] of [[0, 0], [1, 0], [1, 1], [0, 1]]) {
    const grip = rect([left + x * width - size / 2, top + y * height - size / 2, size, size], x === y ? "grip" : "grip other");
    Object.assign(grip.dataset, { x, y });
    parts.push(grip);
  }
  return element("g", { class: "a-field", tabindex: 0, role: "button", "aria-pressed": at === chosen, "aria-label": `${one.name}, ${words}`, "data-at": at }, ...parts);
}

const scale = () => sheet.clientWidth / template.pages[page - 1].width || 1;

function showSheet() {
  const { width, height } = template.pages[page - 1];
  const hadFocus = sheet.contains(document.activeElement);
  const fit = Math.max(200, $("desk").clientWidth - 2);
  sheet.setAttribute("viewBox", `0 0 ${width} ${height}`);
  sheet.setAttribute("width", fit * ZOOM ** zoom);
  sheet.setAttribute("height", (fit * ZOOM ** zoom * height) / width);
  const blank = sheet.querySelector("image") ?? element("image", {});
  if (blank.getAttribute("href") !== `blank/${page}`) blank.setAttribute("href", `blank/${page}`);
  for (const [name, value] of Object.entries({ width, height })) blank.setAttribute(name, value);
  const free = found[page - 1].filter(isFree).map(({ box }) => rect(box, "found"));
  sheet.replaceChildren(blank, ...free, ...here().map(({ one, at }) => drawn(one, at)));
  if (hadFocus) sheet.querySelector('[aria-pressed="true"]')?.focus();
}

function showPanel() {
  const one = field();
  const named = fields().map(({ name }, at) => new Option(name, at, false, at === chosen));
  $("chosen").replaceChildren(new Option(`${fields().length} fields`, -1, false, chosen < 0), ...named);
  $("field").hidden = !one;
  $("page").value = page;
  if (document.activeElement !== $("rules")) $("rules").value = (template.rules ?? []).join("\n");
  if (!one) return;
  const kind = one.kind ?? "number";
  const known = { ...one, kind, ...Object.fromEntries(OF_BOX.map((side, at) => [side, one.box[at]])) };
  known.one_of = Array.isArray(one.one_of) ? one.one_of.join(", ") : one.one_of;
  for (const input of form) {
    if (input.type === "checkbox") input.checked = known[input.name] ?? false;
    else if (input.name) input.value = known[input.name] ?? "";
  }
  for (const part of $("field").querySelectorAll("[data-kinds]")) part.hidden = !part.dataset.kinds.split(" ").includes(kind);
}

function show() {
  showSheet();
  showPanel();
  const isSaved = JSON.stringify(template) === saved;
  [$("undo").disabled, $("redo").disabled, $("save").disabled] = [!past.length, !future.length, isSaved];
  $("state").textContent = isSaved ? "Saved" : "Not saved yet";
  clearTimeout(checking);
  checking = setTimeout(check, 200);
}

function tell(told, more = false) {
  $("told").textContent = sentence(told);
  [$("notice").hidden, $("over").hidden, $("anew").hidden] = [!told, !more, !more];
}

async function check() {
  const mine = checking;
  try {
    const { told } = await ask("check", { template });
    if (mine === checking && $("over").hidden) tell(told);
  } catch (error) {
    tell(error.message);
  }
}

let isSaving = false;

async function save(over = false) {
  if (isSaving) return;
  isSaving = true;
  clearTimeout(checking);
  const asked = JSON.stringify(template);
  try {
    ({ digest } = await ask("save", { template, digest: over ? null : digest }));
    saved = asked;
    tell("");
    show();
  } catch (error) {
    tell(error.message, error.gone);
  } finally {
    isSaving = false;
  }
}

function choose(at, to = page) {
  [chosen, page] = [at, to];
  show();
}

// The pointer: a grip, a field, or paper

function at({ clientX, clientY }) {
  const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(sheet.getScreenCTM().inverse());
  return [x, y];
}

// The nearest edge of a box that was found, where one is near.
function snapped(value, axis, free) {
  if (free) return value;
  const edges = found[page - 1].flatMap(({ box }) => [box[axis], box[axis] + box[axis + 2]]);
  const near = edges.filter((edge) => Math.abs(edge - value) * scale() <= SNAP);
  return near.reduce((best, edge) => (Math.abs(edge - value) < Math.abs(best - value) ? edge : best), near[0] ?? value);
}

function between(one, other, free) {
  const [a, b] = [one, other].map((point) => point.map((value, axis) => snapped(value, axis, free)));
  return [...a.map((value, axis) => Math.min(value, b[axis])), ...a.map((value, axis) => Math.abs(value - b[axis]))];
}

function moved([left, top, width, height], by, free) {
  const [x, y] = [left + by[0], top + by[1]].map((value, axis) => {
    const size = axis ? height : width, far = snapped(value + size, axis, free) - size;
    return snapped(value, axis, free) !== value ? snapped(value, axis, free) : far;
  });
  return [x, y, width, height];
}

sheet.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  event.preventDefault();
  sheet.setPointerCapture(event.pointerId);
  const { grip, start } = { grip: event.target.closest(".grip"), start: at(event) };
  const on = event.target.closest(".a-field");
  document.activeElement.blur();
  if (grip) {
    const [left, top, width, height] = field().box;
    drag = { kind: "resize", start: [left + width * (1 - grip.dataset.x), top + height * (1 - grip.dataset.y)] };
  } else if (on) {
    choose(Number(on.dataset.at));
    drag = { kind: "move", start, box: field().box };
  } else {
    drag = { kind: "draw", start };
  }
});

sheet.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const now = at(event);
  const by = now.map((value, axis) => value - drag.start[axis]);
  drag.far ||= Math.hypot(...by) * scale() > 4;
  if (!drag.far) return;
  drag.now = drag.kind === "move" ? moved(drag.box, by, event.altKey) : between(drag.start, now, event.altKey);
  sheet.querySelector(".drawn")?.remove();
  sheet.append(rect(drag.now, "drawn"));
});

sheet.addEventListener("pointerup", () => {
  const { kind, start, now } = drag ?? {};
  drag = null;
  sheet.querySelector(".drawn")?.remove();
  if (now && Math.min(now[2], now[3]) >= LEAST) kind === "draw" ? add(now) : put(now);
  else if (kind === "draw") {
    const inside = found[page - 1].find((one) => isFree(one) && [0, 1].every((i) => start[i] >= one.box[i] && start[i] <= one.box[i] + one.box[i + 2]));
    inside ? add(inside.box) : choose(-1);
  }
});

sheet.addEventListener("focusin", ({ target }) => {
  const number = Number(target.dataset.at ?? -1);
  if (number !== chosen && target.matches(".a-field:focus-visible")) choose(number);
});

// The panel

function valued(input) {
  const text = input.value.trim();
  if (input.type === "checkbox") return input.checked || undefined;
  if (input.type === "number") return text === "" ? undefined : Number(text);
  if (input.name === "one_of" && /^[\d\s,;]+$/.test(text)) return text.split(/[\s,;]+/).filter(Boolean);
  return text || undefined;
}

$("field").addEventListener("change", ({ target }) => change(() => {
  const one = field(), value = valued(target), side = OF_BOX.indexOf(target.name);
  if (target.name === "name") rename(one, value);
  if (side >= 0) one.box = one.box.map((old, i) => (i === side ? value ?? old : old));
  else if (value === undefined) delete one[target.name];
  else one[target.name] = value;
  if (target.name !== "kind") return;
  if (value === "comb") one.cells ??= 2;
  else for (const name of ["cells", "gap"]) delete one[name];
}));
$("field").addEventListener("submit", (event) => event.preventDefault());
$("rules").addEventListener("change", () => change(() => {
  template.rules = $("rules").value.split("\n").map((rule) => rule.trim()).filter(Boolean);
}));
$("chosen").addEventListener("change", ({ target }) => choose(Number(target.value), fields()[target.value]?.page));
$("page").addEventListener("change", ({ target }) => choose(-1, Number(target.value)));

// Keys and buttons

const ARROWS = { ArrowLeft: [0, -STEP], ArrowRight: [0, STEP], ArrowUp: [1, -STEP], ArrowDown: [1, STEP] };
const commands = { s: () => save(), z: () => travel(past, future), y: () => travel(future, past), Z: () => travel(future, past) };

document.addEventListener("keydown", (event) => {
  const { key, target } = event, isTyping = target.matches("input, select, textarea");
  const command = (event.ctrlKey || event.metaKey) && commands[key];
  if (command && !(isTyping && key !== "s")) {
    if (isTyping) target.blur(); // what was typed counts
    command();
  } else if (target.matches("#field input") && key === "Enter") {
    sheet.querySelector('[aria-pressed="true"]').focus();
  } else if (isTyping || event.ctrlKey || event.metaKey) {
    return;
  } else if (key === "n") {
    const free = found[page - 1].find(isFree);
    if (free) add(free.box);
  } else if (key === "Escape") {
    choose(-1);
  } else if (field() && (key === "Delete" || key === "Backspace")) {
    remove();
  } else if (field() && key === "Enter") {
    form.name.select();
  } else if (field() && key in ARROWS) {
    const [axis, by] = ARROWS[key], side = axis + 2 * event.shiftKey;
    put(field().box.map((value, i) => (i === side ? Math.max(event.shiftKey ? LEAST : 0, value + by) : value)));
  } else {
    return;
  }
  event.preventDefault();
});
// A page hands its changes to that of an editor which was started again.
document.addEventListener("copy", (event) => {
  if (event.target.matches("input, textarea") || !getSelection().isCollapsed) return;
  event.clipboardData.setData("text/plain", JSON.stringify(template));
  event.preventDefault();
});
document.addEventListener("paste", (event) => {
  if (event.target.matches("input, textarea")) return;
  let pasted;
  try { pasted = JSON.parse(event.clipboardData.getData("text/plain")); } catch { pasted = null; }
  if (!Array.isArray(pasted?.fields) || JSON.stringify(pasted.pages) !== JSON.stringify(template.pages)) {
    checking = clearTimeout(checking);
    return tell("what was pasted is no template of this blank");
  }
  change(() => ([template, chosen] = [pasted, -1]));
});
$("undo").addEventListener("click", commands.z);
$("redo").addEventListener("click", commands.y);
$("save").addEventListener("click", () => save());
$("over").addEventListener("click", () => save(true));
$("anew").addEventListener("click", () => {
  saved = JSON.stringify(template);
  location.reload();
});
$("remove").addEventListener("click", remove);
for (const [id, by] of [["in", 1], ["out", -1]]) $(id).addEventListener("click", () => ((zoom = Math.max(-2, Math.min(8, zoom + by))), showSheet()));
addEventListener("resize", () => showSheet());
addEventListener("beforeunload", (event) => JSON.stringify(template) !== saved && event.preventDefault());

try {
  const opened = await ask("template");
  ({ template, digest, found } = opened);
  saved = JSON.stringify(template);
  $("name").textContent = opened.name;
  document.title = `${opened.name} – Inkdigit`;
  $("page").replaceChildren(...template.pages.map((_, at) => new Option(`${at + 1} of ${template.pages.length}`, at + 1)));
  show();
} catch (error) {
  tell(error.message);
}
