// Buttons that carry a question ask it first. Without this script they act at once; nothing else depends on it.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-confirm]");
  if (button && !window.confirm(button.dataset.confirm)) event.preventDefault();
});

// A button next to a text that is to be entered elsewhere puts it on the clipboard.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset.copied;
  } catch {
    // Not allowed (no TLS): the text is selected, and Ctrl-C does it.
  }
});

// Parts of a page that change by themselves are fetched again, while somebody looks.
for (const part of document.querySelectorAll("[data-refresh]")) {
  window.setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch(part.dataset.refresh, { credentials: "same-origin" }).catch(() => null);
    if (answer?.ok && !answer.redirected) part.innerHTML = await answer.text();
  }, Number(part.dataset.every) * 1000);
}
