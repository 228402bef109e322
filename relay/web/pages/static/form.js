// A form that is answered anew while one writes in it: data-asks is the address, and data-shows the id of the part of
// its answer that is shown. Without it there is a button.

const AFTER = 500; // milliseconds without a key
const form = document.querySelector("form[data-asks]");
const shown = document.getElementById(form.dataset.shows);
let timer;
let waits = false; // for an answer: thousands of rules take seconds, and questions must not pile up
let changed = false; // since it was asked

async function ask() {
  const answer = await fetch(form.dataset.asks, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(shown.id);
  if (fresh && fresh.innerHTML !== shown.innerHTML) shown.replaceChildren(...fresh.childNodes);
}

async function keepUp() {
  if (waits) return void (changed = true);
  waits = true;
  do {
    changed = false;
    await ask().catch(() => {});
  } while (changed);
  waits = false;
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  if (form.querySelector("textarea").value.trim()) timer = setTimeout(keepUp, AFTER);
});
