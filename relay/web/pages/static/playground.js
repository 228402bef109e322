// What comes out, told anew while one writes on either side. Without it there is a button.

const AFTER = 500; // milliseconds without a key
const form = document.getElementById("desk");
const result = document.getElementById("result");
let timer;
let asked = 0;

async function decide() {
  const mine = ++asked;
  const answer = await fetch("/playground", { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (!answer.ok || mine !== asked) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("result");
  if (fresh && fresh.innerHTML !== result.innerHTML) result.replaceChildren(...fresh.childNodes);
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  if (form.elements.request.value.trim()) timer = setTimeout(() => decide().catch(() => {}), AFTER);
});
