// A reading on the page: status, characters, boxes over the ink, bars.

const $ = (id) => document.getElementById(id);
export const STATUS = { accepted: "Accepted", review: "For review", rejected: "Rejected", failed: "Failed", mended: "Mended" };
const LOW = 0.9;

export const percent = (share) => (share >= 0.9995 ? "> 99.9 %" : share < 0.001 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`);

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function showReading(reading, onChoose) {
  $("status").textContent = STATUS[reading.status];
  $("status").className = `status ${reading.status}`;
  $("confidence").textContent = reading.confidence === null || !reading.text ? "" : `${percent(reading.confidence)} sure`;
  $("reason").textContent = sentence(reading);
  $("json").textContent = JSON.stringify(reading, null, 2);
  $("spoken").textContent = spoken(reading);
  showCharacters(reading, onChoose);
}

export function sentence(reading) {
  const said = reading.error ?? reading.reason;
  const free = reading.unconstrained;
  const other = free !== null && free !== reading.text && !said.includes(free) ? ` Without the pattern it reads ${free || "nothing"}.` : "";
  return (said && `${said[0].toUpperCase()}${said.slice(1)}${/[.?!]$/.test(said) ? "" : "."}`) + other;
}

function spoken(reading) {
  if (reading.status === "failed") return `Not read. ${reading.error}`;
  if (!reading.text) return `Nothing was read. ${reading.reason}`;
  return `Reads ${[...reading.text].join(" ")}. ${STATUS[reading.status]}, ${percent(reading.confidence)}. ${reading.reason}`;
}

function showCharacters(reading, onChoose) {
  const row = $("characters");
  row.replaceChildren();
  row.classList.toggle("long", reading.text?.length > 8);
  if (!reading.text) {
    row.append(element("p", { textContent: reading.error ? "Could not be read" : reading.reason ? "No number" : "There is no ink here" }));
  }
  reading.characters.forEach(({ value, confidence }, place) => {
    const button = element("button", { type: "button", textContent: value, className: confidence < LOW ? "low" : "" });
    button.setAttribute("role", "radio");
    button.setAttribute("aria-label", `${value}, ${percent(confidence)}`);
    button.addEventListener("click", () => onChoose(place));
    row.append(button);
  });
  row.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...row.querySelectorAll("button")];
    const next = buttons.at((buttons.indexOf(document.activeElement) + step) % buttons.length);
    next.click();
    next.focus();
  };
}

export function choose(reading, place) {
  $("characters").querySelectorAll("button").forEach((button, number) => {
    button.setAttribute("aria-checked", number === place);
    button.tabIndex = number === place ? 0 : -1;
  });
  $("boxes").querySelectorAll(".box").forEach((box, number) => box.classList.toggle("chosen", number === place));
  showBars(reading.characters[place]);
}

function showBars({ value: chosen, alternatives }) {
  const odds = Object.fromEntries(alternatives.map(({ value, confidence }) => [value, confidence]));
  const rows = [...new Set([..."0123456789", chosen])].map((value) => {
    const share = odds[value] ?? 0;
    const bar = element("i");
    bar.style.setProperty("--share", `${100 * share}%`);
    return element("li", { className: value === chosen ? "top" : "" },
      element("span", { textContent: value }), bar, element("b", { textContent: percent(share) }));
  });
  $("bars").replaceChildren(...rows);
}

// `place` maps a box of the picture to one of the page: {left, top, scale}.
export function showBoxes(reading, place) {
  const boxes = reading.characters.map(({ value, confidence, box: [x, y, width, height] }) => {
    const label = element("span", { textContent: `${value} ${Math.floor(100 * confidence)} %` });
    const made = element("div", { className: confidence < LOW ? "box low" : "box" }, label);
    const pad = 4;
    const area = { left: place.left + x * place.scale - pad, top: place.top + y * place.scale - pad, width: width * place.scale + 2 * pad, height: height * place.scale + 2 * pad };
    for (const [side, value] of Object.entries(area)) made.style[side] = `${value}px`;
    return made;
  });
  $("boxes").replaceChildren(...boxes);
}
