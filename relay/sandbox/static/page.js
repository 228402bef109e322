// Keeps the page fresh: asks each second, while it is seen, whether there is news, and puts only what changed in its
// place. Without it the page works as well; one reloads by hand.

const EVERY = 1000;

async function refresh() {
  const live = document.getElementById("live");
  const address = new URL("fragment", document.baseURI);
  address.searchParams.set("since", live.dataset.version);
  address.searchParams.set("lang", document.documentElement.lang);
  const answer = await fetch(address, { cache: "no-store" });
  if (answer.status !== 200) return;
  // A parsed document is inert: no script in it runs, no picture loads; the server escaped all text in it anyway.
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
  if (fresh) exchange(live, fresh);
}

function exchange(live, fresh) {
  const known = new Set([...live.querySelectorAll("[data-id]")].map((bubble) => bubble.dataset.id));
  for (const piece of fresh.querySelectorAll("[data-live]")) {
    const old = document.getElementById(piece.id);
    if (!old) return live.replaceWith(fresh);
    if (old.outerHTML === piece.outerHTML) continue;
    for (const bubble of piece.querySelectorAll("[data-id]")) {
      if (!known.has(bubble.dataset.id)) settle(bubble);
    }
    old.replaceWith(piece);
  }
  live.dataset.version = fresh.dataset.version;
}

function settle(bubble) {
  bubble.classList.add("fresh");
  bubble.addEventListener("animationend", () => bubble.classList.remove("fresh"), { once: true });
}

async function tick() {
  try {
    if (document.visibilityState === "visible") await refresh();
    document.documentElement.classList.remove("away");
  } catch {
    document.documentElement.classList.add("away"); // the portal has gone; it is asked again
  }
  setTimeout(tick, EVERY);
}

tick();
