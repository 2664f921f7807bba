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
const nameChoosers = () => {
  document.querySelectorAll("select.select2-hidden-accessible").forEach(nameChooser);
  // Django's two-column chooser names signs that have no role to bear a name.
  document.querySelectorAll("span.help-tooltip[aria-label]:not([role])").forEach((sign) => sign.setAttribute("role", "img"));
};
document.addEventListener("DOMContentLoaded", () => {
  nameChoosers();
  // They are made, and made again, by other scripts.
  new MutationObserver(nameChoosers).observe(document.body, { childList: true, subtree: true });
});

// The look makes switches of elements that no key reaches. They become buttons, with a name and a state.
const LOOK_SWITCHES = [
  // what is pressed, what it is called where it is only a sign, and what it opens
  ["#nav-sidebar-apps h2[x-on\\:click]", "", (it) => it.nextElementSibling],
  ["[x-on\\:click^='openUserLinks =']", "", (it) => it.parentElement.querySelector("nav")],
  ["span[x-on\\:click^='sidebarMobileOpen'], span[x-on\\:click^='sidebarDesktopOpen']", "menu", () => document.getElementById("nav-sidebar")],
  ["a[x-on\\:click^='filterOpen']", "", () => document.getElementById("changelist-filter")],
  ["span[x-on\\:click^='showPassword']", "password", () => null],
];
const isShown = (part) => part.getClientRects().length > 0;
const makePressable = (element, word, opened) => {
  let button = element;
  if (/^H\d$/.test(element.tagName)) {
    // A heading stays one: what it holds becomes the button, whose clicks the heading hears.
    button = document.createElement("button");
    button.type = "button";
    button.className = "hs-fold";
    button.append(...element.childNodes);
    element.append(button);
  } else {
    element.setAttribute("role", "button");
    element.tabIndex = 0;
    element.addEventListener("keydown", (event) => {
      if (event.target !== element || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      element.click();
    });
  }
  if (word) button.setAttribute("aria-label", document.getElementById("hs-words")?.dataset[word] ?? word);
  const part = opened(element);
  if (!part) return;
  let byKey = false;
  const tell = () => {
    button.setAttribute("aria-expanded", String(isShown(part)));
    // What lies over the page takes those who open it with a key along.
    if (!byKey || !isShown(part)) return;
    byKey = false;
    [...part.querySelectorAll("a[href], input, select, button")].find(isShown)?.focus();
  };
  new MutationObserver(tell).observe(part, { attributes: true, attributeFilter: ["style", "class"] });
  tell();
  if (part.id !== "changelist-filter") return;
  element.addEventListener("click", (event) => { byKey = event.detail === 0; });
  window.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && part.contains(document.activeElement)) button.focus();
  });
};
document.addEventListener("DOMContentLoaded", () => {
  for (const [selector, word, opened] of LOOK_SWITCHES) {
    for (const element of document.querySelectorAll(selector)) makePressable(element, word, opened);
  }
  // What the page is about, and a way past the navigation for those who go by the Tab key.
  const content = document.getElementById("content");
  document.getElementById("main")?.setAttribute("role", "main");
  if (content && document.getElementById("nav-sidebar-apps")) {
    const skip = document.createElement("a");
    skip.href = "#content";
    skip.className = "hs-skip hs-button";
    skip.textContent = document.getElementById("hs-words")?.dataset.skip ?? "";
    content.tabIndex = -1;
    document.body.prepend(skip);
  }
  // Signs are words of a font ("chevron_right"): nobody needs to hear them, except where there is nothing else.
  for (const sign of document.querySelectorAll(".material-symbols-outlined:not([role], [aria-label], [title])")) {
    const around = sign.closest("a, button, [role=button]");
    const isAll = around && !around.hasAttribute("aria-label") && around.textContent.trim() === sign.textContent.trim();
    if (!isAll) sign.setAttribute("aria-hidden", "true");
  }
});
