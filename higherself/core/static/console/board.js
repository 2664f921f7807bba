// Dragging a card presses the button on it that leads to the column where it is dropped. So dragging can do nothing
// that the buttons cannot, and without this script the buttons do it all.
const board = document.querySelector("[data-board]");
let dragged = null;

const columns = () => board.querySelectorAll("[data-column]");
const accepts = (column) => dragged !== null && dragged.dataset.targets.split("|").includes(column.dataset.column);
const clear = () => columns().forEach((column) => column.classList.remove("hs-may", "hs-over"));

board?.addEventListener("dragstart", (event) => {
  dragged = event.target.closest(".hs-ticket[draggable]");
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.querySelector("a").textContent);
  columns().forEach((column) => column.classList.toggle("hs-may", accepts(column)));
});
board?.addEventListener("dragover", (event) => {
  const column = event.target.closest("[data-column]");
  columns().forEach((other) => other.classList.toggle("hs-over", other === column && accepts(column)));
  if (column && accepts(column)) event.preventDefault();
});
board?.addEventListener("drop", (event) => {
  const column = event.target.closest("[data-column]");
  if (!column || !accepts(column)) return;
  event.preventDefault();
  dragged.querySelector(`button[data-to="${CSS.escape(column.dataset.column)}"]`)?.click();
});
board?.addEventListener("dragend", () => {
  clear();
  dragged = null;
});
