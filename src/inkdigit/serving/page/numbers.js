// The numbers of a whole page: where they stand, as a table, and mended by hand.

import { element, percent, sentence, STATUS } from "./reading.js";

const $ = (id) => document.getElementById(id);
let numbers = [];
let chosen = null;
let several = false; // whether there are several pages
const mends = new Map(); // what was typed, by page and box

// What stands in a number, and what is typed where none stands: as in `inkdigit review`.
const NUMBER = /^[.,\-/=]*\d[\d.,\-/=]*$/, NONE = "-";

const where = ({ page, box }) => [page, ...box].join();

// `rows` are the service's: one for each number, or one that says why there is none. What was
// mended stays so where they are of the `same` file as before.
export function showNumbers(rows, same) {
  if (!same) mends.clear();
  numbers = rows.filter((row) => row.box).map((row) => ({ ...row, ...mends.get(where(row)) }));
  [chosen, several] = [null, rows.some(({ page }) => page > 1)];
  $("found").textContent = `${numbers.length || "No"} handwritten ${numbers.length === 1 ? "number" : "numbers"}`;
  const without = rows.filter((row) => !row.box).map((row) => (several ? `Page ${row.page}: ` : "") + sentence(row));
  $("without").textContent = without.join(" ");
  $("spoken").textContent = [$("found").textContent, ...without].join(". ");
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
    const cells = grid(page).map((line) => element("tr", {}, ...line.map((cell) => element("td", {}, ...cell.map(button)))));
    return element("table", {}, ...(several ? [element("caption", { textContent: `Page ${page}` })] : []), element("tbody", {}, ...cells));
  });
}

// The rows of a page, and what stands in each of their cells: a number, none or several.
function grid(page) {
  const own = numbers.filter((one) => one.page === page);
  const [rows, columns] = ["row", "column"].map((side) => Math.max(...own.map((one) => one[side])));
  return Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, column) =>
    own.filter((one) => one.row === row + 1 && one.column === column + 1)));
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
  const keyed = $("mended").value.replace(/\s/g, "");
  if (keyed !== NONE && !NUMBER.test(keyed)) {
    $("about").textContent = $("spoken").textContent = "Type digits and marks (.,-/=), or - where no number stands.";
    return;
  }
  const mend = { text: keyed === NONE ? "" : keyed, status: "mended" };
  mends.set(where(chosen), mend);
  label(Object.assign(chosen, mend));
  if (chosen.area) Object.assign(chosen.area, { className: "box number mended", title: named(chosen) });
  const next = doubtful();
  $("spoken").textContent = `${named(chosen)} is kept. ${next ? `Next: ${named(next)}, ${about(next)}` : "None is left in doubt."}`;
  select(next ?? chosen);
  $("mended").select();
});

// Rows and columns as spreadsheets paste them.
export const asText = () => pages().flatMap(grid).map((line) => line.map((cell) => cell.map((one) => one.text).join(" ")).join("\t")).join("\n");
