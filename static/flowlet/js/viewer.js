// Zoom and turn of document pictures. Without it the pictures stand there whole, with a link to each in full size.
const ZOOMS = 3;
const TURNS = 4;

for (const viewer of document.querySelectorAll("[data-viewer]")) {
  const tools = viewer.querySelector("[data-viewer-tools]");
  if (!tools) continue;
  const says = tools.querySelector("[data-viewer-says]");
  const state = { zoom: 0, turn: 0 };
  const show = (word) => {
    for (let at = 0; at < ZOOMS; at += 1) viewer.classList.toggle(`zoom-${at + 1}`, at === state.zoom);
    for (let at = 0; at < TURNS; at += 1) viewer.classList.toggle(`turn-${at}`, at === state.turn);
    says.textContent = word;
  };
  tools.hidden = false;
  tools.querySelector("[data-zoom]").addEventListener("click", () => {
    state.zoom = (state.zoom + 1) % ZOOMS;
    show(`Zoom ${state.zoom + 1} of ${ZOOMS}`);
  });
  tools.querySelector("[data-turn]").addEventListener("click", () => {
    state.turn = (state.turn + 1) % TURNS;
    show(`Turned by ${state.turn * 90} degrees`);
  });
}
