// What a silence would have kept back, told anew while its conditions are written. Without it there is a button.

const AFTER = 400; // milliseconds without a key
const form = document.getElementById("draft");
const would = document.getElementById("would");
let timer;
let asked = 0;

async function look() {
  const mine = ++asked;
  const answer = await fetch("/silences/look", { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (!answer.ok || mine !== asked) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("would");
  if (fresh && fresh.innerHTML !== would.innerHTML) would.replaceChildren(...fresh.childNodes);
}

form.elements.conditions.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => look().catch(() => {}), AFTER);
});
