// From one field to the next: a key, its answer on the disk, the next picture.

const WORDS = { "/": "crossed out", "-": "blank", "?": "unreadable" };
const ZOOMS = [1, 2, 4], LIGHTS = [1, 1.5, 0.6];
const $ = (id) => document.getElementById(id);
const input = $("text");

let who = "";
let held = []; // fields in this person's hands, with their pictures; the first is looked at
let field = null; // the one that is shown by itself
let grid = false; // whether fields that were read alike are shown together
let formed = false; // whether the fields are those of forms
let odd = new Set(); // rows that are not what they were read as, and are shown one by one
let touched = false; // whether anything was typed
let run = ""; // what was typed in a row
let size = 0; // how long the text was before
let begun = 0; // how long it was when that began; 0 where it began behind it
let refused = false; // what was typed was asked about, and may be typed anew from where it ends
let doubted = ""; // what was said that is odd by its form; said again, it is meant
let busy = false; // an answer is being written, and the next picture not there yet
let since = 0;
let asked = Promise.resolve();
const mine = { fields: 0, keys: 0, ms: 0 };
const look = { z: 0, t: 0, b: 0 };

const words = (keyed) => WORDS[keyed] ?? keyed;
const sentence = (text) => text && `${text[0].toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? "" : "."}`;

// The service, one question after the other

function ask(path, more = {}) {
  return (asked = asked.catch(() => {}).then(async () => {
    const body = JSON.stringify({ who, alike: grid, ...more });
    const response = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body }).catch(() => {
      throw new Error("The review does not answer. What you decided is on the disk: start it again with the same command.");
    });
    const answer = await response.json();
    if (!response.ok) throw Object.assign(new Error(sentence(answer.detail)), { gone: response.status === 409 });
    showFigures(answer);
    return answer;
  }));
}

function pictured(one) {
  one.picture = image(`picture/${one.row}`, "The handwriting of this field");
  one.picture.onerror = async () => {
    const problem = await (await fetch(one.picture.src)).json();
    one.picture.replaceWith((one.picture = Object.assign(document.createElement("p"), { textContent: sentence(problem.detail) })));
  };
  if (one.boxed) one.around = image(`surroundings/${one.row}`, "The page, with a frame around this field");
  return one;
}

const image = (src, alt) => Object.assign(new Image(), { src, alt, decoding: "sync" });

// Whatever is answered, all fields that are held come with it: one more picture is fetched a key.
function next(answered) {
  const { fields } = answered;
  formed = answered.formed;
  held = fields.map((one) => Object.assign(held.find(({ row }) => row === one.row) ?? pictured(one), one));
  const [first] = held, alike = held.filter(({ proposal }) => proposal === first.proposal);
  if (!first) showEnd();
  else if (grid && first.proposal != null && !odd.has(first.row) && alike.length > 1) showGrid(alike);
  else show(first);
  since = performance.now();
}

const begin = () => ask("take").then(next).catch(refuse);

function reveal(id) {
  for (const part of ["work", "grid", "end"]) $(part).hidden = part !== id;
  $("notice").hidden = true;
  touched = false;
}

// One field

function show(one) {
  field = one;
  Object.assign(look, { z: 0, t: 0, b: 0 });
  reveal("work");
  $("crop").replaceChildren(one.picture);
  $("around").replaceChildren(...(one.around ? [one.around] : []));
  $("source").textContent = one.name;
  $("reason").textContent = one.blind ? "Key what stands there. What was read is hidden." : sentence(one.reason);
  $("second").hidden = !one.second;
  $("together").hidden = one.blind;
  $("second").innerHTML = "<span></span> <kbd>Tab</kbd>";
  $("second").firstChild.textContent = words(one.second);
  $("spoken").textContent = spoken(one);
  restore();
  adjust();
}

function restore() {
  touched = false;
  const keyed = field.proposal ?? "";
  input.value = WORDS[keyed] ? "" : keyed;
  input.placeholder = WORDS[keyed] ?? "";
  input.focus();
  stand(field.weakest ?? 0);
  pause();
  size = input.value.length;
  showForm();
}

function spoken(one) {
  if (one.blind) return "Next field. Key what stands there.";
  const read = one.proposal ? `Read as ${[...words(one.proposal)].join(one.proposal in WORDS ? "" : " ")}` : "Nothing was read";
  return `${read}. ${sentence(one.reason)}${one.second ? ` Second guess ${[...one.second].join(" ")}.` : ""}`;
}

// The character at this place is overwritten by what is typed.
function stand(place) {
  const at = Math.max(0, Math.min(place, input.value.length));
  input.setSelectionRange(at, Math.min(at + 1, input.value.length));
}

// What was typed in a row ends here.
const pause = () => ([run, refused] = ["", false]);

// Who types as many digits as there are, past the end, has typed the whole number.
function type(data) {
  const place = input.selectionStart, grew = input.value.length > size;
  if (!run) begun = grew && !refused ? 0 : size;
  run += data;
  const isWhole = begun && grew && run.length >= begun && /^\d+$/.test(run);
  if (isWhole) input.value = run;
  stand(isWhole ? run.length : place);
}

const settle = (keyed) => field && decide({ [field.row]: keyed });

// What is said of which rows.
async function decide(said) {
  if (busy) return;
  busy = true;
  const ms = Math.round(performance.now() - since);
  try {
    const asked = JSON.stringify(said), answered = await ask("decide", { said, ms, sure: asked === doubted });
    doubted = answered.doubt ? asked : "";
    if (doubted) throw new Error(`${answered.doubt}. If it stands there so, confirm it again.`);
    mine.fields += Object.keys(said).length;
    mine.ms += ms;
    next(answered);
  } catch (error) {
    if (error.gone) await begin();
    refuse(error);
    refused = true;
  }
  busy = false;
}

async function back() {
  if (busy) return;
  busy = true;
  try {
    const taken = await ask("back");
    odd.add(taken.fields[0].row);
    next(taken);
  } catch (error) {
    refuse(error);
  }
  busy = false;
}

function refuse(error) {
  $("notice").textContent = error.message;
  $("notice").hidden = false;
}

// The form that it belongs to

async function showForm() {
  $("form").parentNode.hidden = !formed || field.blind;
  if ($("form").parentNode.hidden) return;
  const { row, name } = field, keyed = touched ? input.value : field.proposal ?? "";
  const { forms } = await ask("form", { said: { [row]: keyed } }).catch((error) => (refuse(error), { forms: [] }));
  if (!forms.length || field?.row !== row) return;
  const [{ form, broken }] = forms;
  const lines = Object.entries(form).map(([of, said]) => {
    const line = document.createElement("tr");
    line.append(cell("th", of), cell("td", words(said)));
    if (name.endsWith(`/${of}`)) line.ariaCurrent = "true";
    return line;
  });
  $("form").hidden = !lines.length;
  $("form").tBodies[0].replaceChildren(...lines);
  $("rules").replaceChildren(...broken.map((told) => cell("p", told)));
}

const cell = (kind, textContent) => Object.assign(document.createElement(kind), { textContent, scope: "row" });

// Fields that were read alike

const tiles = () => [...$("tiles").children];

function showGrid(alike) {
  field = null;
  reveal("grid");
  const read = words(alike[0].proposal);
  $("grid-title").textContent = `All of these were read as ${read}. Which are not?`;
  $("tiles").replaceChildren(...alike.map(tile));
  $("spoken").textContent = `${alike.length} pictures that were read as ${read}. Arrows and Space mark those that are not, Enter confirms the others.`;
  stay(0);
}

function tile(one, at, all) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "tile", value: one.row, ariaPressed: "false", ariaLabel: `${at + 1} of ${all.length}, ${one.name}`, tabIndex: -1 });
  one.picture.removeAttribute("style");
  button.append(one.picture);
  button.addEventListener("click", () => ((button.ariaPressed = String(button.ariaPressed !== "true")), stay(at)));
  return button;
}

// One tile is in the order of Tab, as in any grid; arrows go to the others.
function stay(place) {
  const all = tiles(), at = Math.max(0, Math.min(place, all.length - 1));
  all.forEach((one, number) => (one.tabIndex = number === at ? 0 : -1));
  all[at].focus();
}

function agree() {
  const shown = tiles().map(({ value, ariaPressed }) => [held.find(({ row }) => row === Number(value)), ariaPressed === "true"]);
  odd = new Set(shown.filter(([, isOdd]) => isOdd).map(([{ row }]) => row));
  const right = shown.filter(([, isOdd]) => !isOdd).map(([{ row, proposal }]) => [row, proposal]);
  if (right.length) decide(Object.fromEntries(right));
  else next({ fields: held, formed });
}

async function toggleGrid() {
  grid = !grid;
  odd.clear();
  await begin();
  if (!grid || !field || !$("notice").hidden) return;
  grid = !field.blind;
  refuse(new Error(grid ? "No other field was read like this one. From the next on, those that were come together; g goes back." : "What was read is hidden, so there is no grid."));
}

function step(key) {
  const at = tiles().findIndex(({ tabIndex }) => !tabIndex);
  const wide = getComputedStyle($("tiles")).gridTemplateColumns.split(" ").length;
  stay({ ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - wide, ArrowDown: at + wide, Home: 0, End: Infinity }[key]);
}

function pressInGrid(event) {
  const { key, target } = event, enters = key === "Enter" && !target.matches("button:not(.tile)");
  mine.keys += 1;
  if (/^(Arrow|Home|End)/.test(key) || enters) event.preventDefault();
  if (/^(Arrow|Home|End)/.test(key)) step(key);
  if (enters) agree();
  if (key === "g") toggleGrid();
}

// What is around it

function showFigures({ total, left, told }) {
  const minutes = mine.ms / 60000, rate = mine.fields / minutes;
  const own = mine.fields ? [`${rate.toFixed(0)} a minute`, `${(mine.keys / mine.fields).toFixed(1)} keys a field`, `${Math.ceil(left / rate)} min left`] : [];
  $("figures").textContent = [`${(total - left).toLocaleString("en")} of ${total.toLocaleString("en")}`, ...own].join(" · ");
  [$("progress").max, $("progress").value] = [total, total - left];
  $("told").textContent = told || (left ? `Left: ${left.toLocaleString("en")}, in other hands or waiting for another person.` : "Stop the review with Ctrl-C, and make the table anew with --export.");
  $("end-title").textContent = left ? "Nothing for you just now" : "All fields are settled";
}

function showEnd() {
  field = null;
  reveal("end");
  $("end-title").focus();
}

function adjust(key) {
  if (key) look[key] += 1;
  const [zoom, light] = [ZOOMS[look.z % ZOOMS.length], LIGHTS[look.b % LIGHTS.length]];
  // A filter that changes nothing would still be drawn.
  field.picture.style.transform = zoom > 1 || look.t ? `rotate(${90 * look.t}deg) scale(${zoom})` : "";
  field.picture.style.filter = light === 1 ? "" : `brightness(${light})`;
}

// Keys and buttons

const moves = {
  ArrowLeft: () => stand(input.selectionStart - 1),
  ArrowRight: () => stand(input.selectionStart + 1),
  Home: () => stand(0),
  End: () => stand(input.value.length),
  Escape: () => restore(),
  Enter: () => settle(touched ? input.value : field.proposal ?? ""),
  Tab: () => field.second && settle(field.second),
  g: toggleGrid,
  z: () => adjust("z"), t: () => adjust("t"), b: () => adjust("b"),
};

document.addEventListener("keydown", (event) => {
  const { key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("#name")) return;
  if (event.key === "Backspace" && !touched && who) {
    event.preventDefault();
    mine.keys += 1;
    return void back();
  }
  if (!$("grid").hidden) return pressInGrid(event);
  if (!field || event.target.matches("button") || (key === "Tab" && event.shiftKey) || key === "Shift") return;
  mine.keys += 1;
  const word = !touched && key in WORDS;
  if (busy || word || key in moves || (key.length === 1 && !/[\d.,\-/=]/.test(key))) event.preventDefault();
  if (busy) return;
  if (key in moves) pause();
  if (word) settle(key);
  else moves[key]?.();
  if (document.activeElement !== input) input.focus();
});
input.addEventListener("input", (event) => {
  touched = true;
  if (event.inputType === "insertText") type(event.data);
  else pause();
  size = input.value.length;
  showForm();
});
$("right").addEventListener("click", () => moves.Enter());
$("second").addEventListener("click", () => moves.Tab());
for (const button of document.querySelectorAll("[data-word]")) button.addEventListener("click", () => settle(button.dataset.word));
for (const button of document.querySelectorAll("[data-look]")) button.addEventListener("click", () => (adjust(button.dataset.look), input.focus()));
for (const button of document.querySelectorAll(".back")) button.addEventListener("click", back);
$("agree").addEventListener("click", agree);
for (const button of document.querySelectorAll(".grid-switch")) button.addEventListener("click", toggleGrid);
$("again").addEventListener("click", begin);

$("name").value = localStorage.getItem("inkdigit-name") ?? "";
$("name").focus();
$("start").addEventListener("submit", (event) => {
  event.preventDefault();
  who = $("name").value.trim();
  localStorage.setItem("inkdigit-name", who);
  $("start").hidden = true;
  begin();
});
