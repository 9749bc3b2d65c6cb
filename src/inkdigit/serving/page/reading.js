// A reading on the page: status, digits, boxes over the ink, bars.

const $ = (id) => document.getElementById(id);
const STATUS = { accepted: "Accepted", review: "For review", rejected: "Rejected", failed: "Failed" };
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
  showDigits(reading, onChoose);
}

function sentence(reading) {
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

function showDigits(reading, onChoose) {
  const digits = $("digits");
  digits.replaceChildren();
  digits.classList.toggle("long", reading.text?.length > 8);
  if (!reading.text) {
    digits.append(element("p", { textContent: reading.error ? "Could not be read" : reading.reason ? "No number" : "There is no ink here" }));
  }
  reading.digits.forEach((digit, place) => {
    for (const mark of reading.marks) if (mark.position === place) digits.append(element("span", { textContent: mark.value, title: "seen, not in the text" }));
    const button = element("button", { type: "button", textContent: digit.value, className: digit.confidence < LOW ? "low" : "" });
    button.setAttribute("role", "radio");
    button.setAttribute("aria-label", `${digit.value}, ${percent(digit.confidence)}`);
    button.addEventListener("click", () => onChoose(place));
    digits.append(button);
  });
  digits.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...digits.querySelectorAll("button")];
    const next = buttons.at((buttons.indexOf(document.activeElement) + step) % buttons.length);
    next.click();
    next.focus();
  };
}

export function choose(reading, place) {
  $("digits").querySelectorAll("button").forEach((button, number) => {
    button.setAttribute("aria-checked", number === place);
    button.tabIndex = number === place ? 0 : -1;
  });
  $("boxes").querySelectorAll(".box:not(.mark)").forEach((box, number) => box.classList.toggle("chosen", number === place));
  showBars(reading.digits[place]);
}

function showBars(digit) {
  const odds = Object.fromEntries(digit.alternatives.map(({ value, confidence }) => [value, confidence]));
  const rows = [..."0123456789"].map((value) => {
    const share = odds[value] ?? 0;
    const bar = element("i");
    bar.style.setProperty("--share", `${100 * share}%`);
    return element("li", { className: value === digit.value ? "top" : "" },
      element("span", { textContent: value }), bar, element("b", { textContent: percent(share) }));
  });
  $("bars").replaceChildren(...rows);
}

// `place` maps a box of the picture to one of the page: {left, top, scale}.
export function showBoxes(reading, place) {
  const make = ({ value, confidence, box: [x, y, width, height] }, kind) => {
    const label = kind === "mark" ? value : `${value} ${Math.floor(100 * confidence)} %`;
    const made = element("div", { className: `box ${kind}` }, element("span", { textContent: label }));
    const pad = 4;
    const area = { left: place.left + x * place.scale - pad, top: place.top + y * place.scale - pad, width: width * place.scale + 2 * pad, height: height * place.scale + 2 * pad };
    for (const [side, value] of Object.entries(area)) made.style[side] = `${value}px`;
    return made;
  };
  $("boxes").replaceChildren(
    ...reading.digits.map((digit) => make(digit, digit.confidence < LOW ? "low" : "")),
    ...reading.marks.map((mark) => make(mark, "mark")));
}
