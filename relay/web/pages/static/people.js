// Copies a line for the rules by a click. Without it the line stands in a field, to be chosen and copied by hand.

for (const button of document.querySelectorAll(".paste button")) {
  const field = button.previousElementSibling;
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value); // only where the page is secure (Clipboard API)
    } catch {
      document.execCommand("copy"); // obsolete, and what plain http leaves
    }
    button.textContent = button.dataset.done;
  });
  field.addEventListener("focus", () => field.select());
}
