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

// The choosers (select2) come without names, and with a list that holds more than its items, for those who listen.
const nameChooser = (select) => {
  const name = document.querySelector(`label[for="${CSS.escape(select.id)}"]`)?.textContent.trim() || select.name;
  const chooser = select.nextElementSibling;
  for (const part of chooser?.querySelectorAll("[role=textbox], [role=searchbox], [role=combobox]") ?? []) {
    if (!part.getAttribute("aria-label")) part.setAttribute("aria-label", name);
  }
  for (const list of chooser?.querySelectorAll("ul") ?? []) {
    list.setAttribute("role", "group");
    for (const item of list.children) item.setAttribute("role", "none");
  }
};
const nameChoosers = () => document.querySelectorAll("select.select2-hidden-accessible").forEach(nameChooser);
document.addEventListener("DOMContentLoaded", () => {
  nameChoosers();
  // They are made, and made again, by other scripts.
  new MutationObserver(nameChoosers).observe(document.body, { childList: true, subtree: true });
});
