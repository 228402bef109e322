// Makes the pages live: times in the reader's zone, and what stands under [data-live] asked again while it is seen.
// Without it every page works as well: times are UTC then, and one reloads by hand.

const EVERY = 2000; // milliseconds
const language = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, { timeStyle: "medium" });
const calendar = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([title]), time.local")) {
    const moment = new Date(time.dateTime);
    const today = moment.toDateString() === new Date().toDateString();
    if (!time.title) time.title = time.textContent; // UTC, for whoever compares it with a log
    time.className = "local";
    time.textContent = (today ? clock : calendar).format(moment);
  }
}

// The address of what lives (that of the page, unless the element names another) once more; the parts that live are
// taken from the answer. A parsed document is inert: no script of it runs, and the server escaped all text in it anyway.
let tag = "";
let day = new Date().toDateString();
async function refresh(parts) {
  const address = new URL(location.href);
  for (const [name, value] of new URLSearchParams(parts[0].dataset.live)) address.searchParams.set(name, value);
  const answer = await fetch(address, { cache: "no-store", headers: tag ? { "If-None-Match": tag } : {} });
  if (answer.status === 304) return;
  if (answer.redirected || answer.status === 401) return location.reload(); // the session is over
  if (!answer.ok) throw new Error(String(answer.status));
  tag = answer.headers.get("ETag") ?? "";
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  localTimes(fresh);
  for (const part of parts) {
    const other = fresh.getElementById(part.id);
    if (other) exchange(part, other);
  }
}

// Children with ids are kept where they have not changed, so that focus, selection and what is unfolded stay.
function exchange(part, fresh) {
  const keyed = [...part.children].every((child) => child.id) && [...fresh.children].every((child) => child.id);
  if (!keyed) {
    if (part.innerHTML !== fresh.innerHTML && !part.contains(document.activeElement)) part.replaceChildren(...fresh.childNodes);
    return;
  }
  const known = new Map([...part.children].map((child) => [child.id, child]));
  const wanted = [...fresh.children].map((child) => {
    const old = known.get(child.id);
    if (old && (old.innerHTML === child.innerHTML || old.contains(document.activeElement))) return old;
    child.classList.add(old ? "changed" : "fresh");
    return child;
  });
  for (const child of [...part.children]) if (!wanted.includes(child)) child.remove();
  wanted.forEach((child, place) => {
    if (part.children[place] !== child) part.insertBefore(child, part.children[place] ?? null);
  });
}

async function tick(parts) {
  if (day !== new Date().toDateString()) localTimes(document); // what was of today has got a date
  day = new Date().toDateString();
  try {
    if (document.visibilityState === "visible") await refresh(parts);
    document.documentElement.classList.remove("away");
  } catch {
    document.documentElement.classList.add("away"); // the relay has gone; it is asked again
  }
  setTimeout(tick, EVERY, parts);
}

localTimes(document);
document.documentElement.classList.add("alive");
const living = [...document.querySelectorAll("[data-live]")];
if (living.length) setTimeout(tick, EVERY, living);
