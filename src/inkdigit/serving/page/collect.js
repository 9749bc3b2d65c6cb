// Digit after digit, drawn or photographed, until the class has enough; what is not kept yet stays on the pad.

import { Pad } from "./pad.js";

const $ = (id) => document.getElementById(id);
const pad = new Pad($("pad"), $("pen"), drawn);
const me = { name: localStorage.getItem("name") ?? "", token: localStorage.getItem("token") ?? newToken() };

let digit = "0";
let mine = {};
let busy = false;

// Pages that come without TLS lack crypto.randomUUID.
function newToken() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const query = (more = {}) => new URLSearchParams({ ...me, ...more });

async function ask(path, more, body) {
  // Some phones do not know what kind of file their own photographs are.
  const headers = body ? { "Content-Type": body.type || "application/octet-stream" } : {};
  const response = await fetch(`class/${path}?${query(more)}`, { method: "POST", headers, body }).catch(() => {
    throw new Error("The teacher's computer cannot be reached. Your drawing is still here: try again.");
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(sentence(answer.detail)), { status: response.status });
  mine = answer.mine;
  const count = Object.values(mine).reduce((sum, one) => sum + one, 0);
  $("figures").textContent = `${count} by you, ${answer.all} in all`;
  return answer;
}

const sentence = (detail) => (typeof detail === "string" ? `${detail[0].toUpperCase()}${detail.slice(1)}.` : "This was not understood.");

// One thing at a time; what goes wrong is said, and nothing that was drawn is taken away.
async function carefully(work) {
  if (busy) return;
  busy = true;
  drawn();
  $("notice").hidden = true;
  try {
    await work();
  } catch (error) {
    $("notice").textContent = error.message;
    $("notice").hidden = false;
  }
  busy = false;
  drawn();
}

function drawn() {
  $("keep").disabled = pad.empty || busy;
  $("clear").disabled = pad.empty;
}

async function join() {
  await ask("join");
  localStorage.setItem("name", me.name);
  localStorage.setItem("token", me.token);
  $("download").href = `class/mine.zip?${query()}`;
  $("who").textContent = me.name;
  [$("start").hidden, $("work").hidden] = [true, false];
  choose();
}

// One of those that this pupil drew least often, and not the same again.
function choose() {
  const others = [..."0123456789"].filter((one) => one !== digit);
  const least = Math.min(...others.map((one) => mine[one] ?? 0));
  const rare = others.filter((one) => (mine[one] ?? 0) === least);
  digit = rare[Math.floor(Math.random() * rare.length)];
  $("digit").textContent = digit;
}

async function keep(picture) {
  await ask("draw", { digit }, picture);
  pad.clear();
  choose();
}

$("start").addEventListener("submit", (event) => {
  event.preventDefault();
  me.name = $("name").value.trim();
  carefully(join);
});
$("keep").addEventListener("click", () => carefully(async () => {
  await keep(await new Promise((resolve) => pad.picture().toBlob(resolve, "image/png")));
}));
$("clear").addEventListener("click", () => pad.clear());
$("other").addEventListener("click", choose);
$("photograph").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => {
  const [photograph] = $("file").files;
  if (photograph) carefully(() => keep(photograph));
  $("file").value = "";
});
$("forget").addEventListener("click", () => {
  if (confirm(`Delete all that ${me.name} drew?`)) carefully(() => ask("forget"));
});
$("leave").addEventListener("click", () => {
  localStorage.removeItem("name"); // the token stays: he may come back
  location.reload();
});

pad.width = 14;
if (me.name) carefully(join);
