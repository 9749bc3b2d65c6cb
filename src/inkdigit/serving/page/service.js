// The service, and what it says when it does not answer with a reading.

const KEY = "inkdigit-key";

export class Refusal extends Error {
  constructor(kind, sentence, seconds = 0) {
    super(sentence);
    Object.assign(this, { kind, seconds });
  }
}

export function useKey(key) { sessionStorage.setItem(KEY, key); }

export async function read(file, rules, signal) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(rules)) if (value) query.set(name, value);
  const form = new FormData();
  form.append("file", file, file.name || "paper.png");
  const key = sessionStorage.getItem(KEY);
  let response;
  try {
    response = await fetch(`v1/read?${query}`, {
      method: "POST", body: form, signal, headers: key ? { "X-API-Key": asHeader(key) } : {},
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("gone", "The service cannot be reached. Is it still running?");
  }
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw refusal(response, problem.detail);
}

// A header takes no other characters than bytes: UTF-8, as every client sends it.
function asHeader(text) { return String.fromCharCode(...new TextEncoder().encode(text)); }

function refusal(response, detail) {
  const sentence = detail ? detail[0].toUpperCase() + detail.slice(1) : `The service answered ${response.status}.`;
  if (response.status === 401) return new Refusal("key", "This service asks for a key.");
  if (response.status === 503) return new Refusal("busy", "The service is busy. Trying again …", Number(response.headers.get("Retry-After")) || 1);
  return new Refusal("refused", `${sentence}${/[.?!]$/.test(sentence) ? "" : "."}`);
}
