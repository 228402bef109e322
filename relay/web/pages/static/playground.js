// What comes out, told anew while one writes on either side. Without it there is a button.

const AFTER = 500; // milliseconds without a key
const form = document.getElementById("desk");
const result = document.getElementById("result");
let timer;
let waits = false; // for an answer: thousands of rules take seconds, and questions must not pile up
let changed = false; // since it was asked

async function decide() {
  const answer = await fetch("/playground", { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("result");
  if (fresh && fresh.innerHTML !== result.innerHTML) result.replaceChildren(...fresh.childNodes);
}

async function keepUp() {
  if (waits) return void (changed = true);
  waits = true;
  do {
    changed = false;
    await decide().catch(() => {});
  } while (changed);
  waits = false;
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  if (form.elements.request.value.trim()) timer = setTimeout(keepUp, AFTER);
});
