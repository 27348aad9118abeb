// Ctrl K: one field over everything. The server finds, groups and marks; without this script /admin/search/ does it.
const palette = document.getElementById("palette");
const field = palette?.querySelector("input");
const found = document.getElementById("found");
let turn = 0;
let timer = 0;

function options() {
  return [...found.querySelectorAll("[data-href]")];
}

function choose(option) {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  if (option) {
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else field.removeAttribute("aria-activedescendant");
}

async function look() {
  const mine = ++turn;
  const url = `${found.dataset.url}?q=${encodeURIComponent(field.value)}`;
  const answer = await fetch(url, { headers: { "X-Part": "palette" } });
  if (mine !== turn) return;
  if (!answer.ok || answer.redirected) return window.location.assign(url);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  found.replaceChildren(...document.importNode(page.body, true).children);
  choose(options()[0]);
}

function open() {
  palette.showModal();
  field.select();
  look();
}

function go() {
  const option = found.querySelector("[aria-selected=true]");
  if (option) window.location.assign(option.dataset.href);
  else field.form.submit();
}

field?.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(look, 120);
});
field?.addEventListener("keydown", (event) => {
  const all = options();
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && all.length) {
    event.preventDefault();
    choose(all[(at + step + all.length) % all.length]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    go();
  }
});
found?.addEventListener("click", (event) => {
  const option = event.target.closest("[data-href]");
  if (option) window.location.assign(option.dataset.href);
});
palette?.addEventListener("click", (event) => {
  if (event.target === palette) palette.close();
});
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (!palette.open) open();
  }
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-palette]");
  if (link && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    open();
  }
});
