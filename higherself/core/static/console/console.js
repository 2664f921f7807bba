// Buttons that carry a question ask it first. Without this script they act at once; nothing else depends on it.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-confirm]");
  if (button && !window.confirm(button.dataset.confirm)) event.preventDefault();
});
