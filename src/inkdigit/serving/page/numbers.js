// The numbers of a whole page: where they stand, as a table, and mended by hand.

import { element, percent, sentence, STATUS } from "./reading.js";

const $ = (id) => document.getElementById(id);
let numbers = [];
let chosen = null;
let several = false; // whether there are several pages
const mends = new Map(); // what was typed, by page and box

const where = ({ page, box }) => [page, ...box].join();

// `rows` are the service's: one for each number, or one that says why there is none. What was
// mended stays so where they are of the `same` file as before.
export function showNumbers(rows, same) {
  if (!same) mends.clear();
  numbers = rows.filter((row) => row.box).map((row) => {
    const [line, column] = row.id.split("/").map(Number);
    return { ...row, line, column, ...mends.get(where(row)) };
  });
  [chosen, several] = [null, rows.some(({ page }) => page > 1)];
  const failed = rows.filter((row) => row.error).map((row) => ` Page ${row.page}: ${sentence(row)}`);
  const count = `${numbers.length || "No"} handwritten ${numbers.length === 1 ? "number" : "numbers"}`;
  $("found").textContent = failed.length ? `${count}.${failed.join("")}` : count;
  $("spoken").textContent = $("found").textContent;
  [$("mend").hidden, $("copy-table").hidden] = [!numbers.length, !numbers.length];
  $("table").replaceChildren(...tables());
  $("about").textContent = "";
  select(doubtful() ?? numbers[0]);
}

const named = (one) => one.text || "Nothing";

const doubtful = () => numbers.find((one) => !["accepted", "mended"].includes(one.status));

const pages = () => [...new Set(numbers.map((one) => one.page))];

function tables() {
  return pages().map((page) => {
    const cells = grid(page).map((line) => element("tr", {}, ...line.map((one) => element("td", {}, ...(one ? [button(one)] : [])))));
    return element("table", {}, ...(several ? [element("caption", { textContent: `Page ${page}` })] : []), element("tbody", {}, ...cells));
  });
}

function grid(page) {
  const own = numbers.filter((one) => one.page === page);
  const [lines, columns] = ["line", "column"].map((side) => Math.max(...own.map((one) => one[side])));
  return Array.from({ length: lines }, (_, line) => Array.from({ length: columns }, (_, column) =>
    own.find((one) => one.line === line + 1 && one.column === column + 1)));
}

function button(one) {
  one.button = element("button", { type: "button" });
  one.button.addEventListener("click", () => select(one));
  label(one);
  return one.button;
}

function label(one) {
  one.button.textContent = one.text || "–";
  one.button.className = one.status;
  one.button.setAttribute("aria-label", `${named(one)}, ${STATUS[one.status]}`);
}

function select(one) {
  if (!one) return;
  chosen = one;
  for (const other of numbers) {
    other.button.setAttribute("aria-pressed", other === one);
    other.area?.classList.toggle("chosen", other === one);
  }
  $("mended").value = one.text;
  $("about").textContent = about(one);
}

const about = (one) => (one.status === "mended" ? "You wrote this." : `${STATUS[one.status]}, ${percent(one.confidence)} sure. ${sentence(one)}`);

// Of several pages a picture may show any. `place` maps a box of the picture to one of the page: {left, top, scale}.
export function placeNumbers(place) {
  const areas = (several ? [] : numbers).map((one) => {
    const [x, y, width, height] = one.box.map((side) => side * place.scale);
    one.area = element("div", { className: `box number ${one.status}`, title: named(one) });
    const area = { left: place.left + x - 3, top: place.top + y - 3, width: width + 6, height: height + 6 };
    for (const [side, value] of Object.entries(area)) one.area.style[side] = `${value}px`;
    one.area.classList.toggle("chosen", one === chosen);
    one.area.addEventListener("click", () => {
      select(one);
      $("mended").select();
    });
    return one.area;
  });
  $("boxes").replaceChildren(...areas);
}

$("mend").addEventListener("submit", (event) => {
  event.preventDefault();
  const mend = { text: $("mended").value.trim(), status: "mended" };
  mends.set(where(chosen), mend);
  label(Object.assign(chosen, mend));
  if (chosen.area) Object.assign(chosen.area, { className: "box number mended", title: named(chosen) });
  const next = doubtful();
  $("spoken").textContent = `${named(chosen)} is kept. ${next ? `Next: ${named(next)}, ${about(next)}` : "None is left in doubt."}`;
  select(next ?? chosen);
  $("mended").select();
});

// Rows and columns as spreadsheets paste them.
export const asText = () => pages().flatMap(grid).map((line) => line.map((one) => one?.text ?? "").join("\t")).join("\n");
