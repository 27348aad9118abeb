// Single-key shortcuts: off while a field has the focus, and off for who switches them off (WCAG 2.1.4).
const OFF = "flowlet-single-keys-off";
const shortcuts = document.getElementById("keys");
const rows = () => [...document.querySelectorAll("tr.link-row, li.link-row")];

function remembered() {
  try {
    return window.localStorage.getItem(OFF) !== "1";
  } catch {
    return true;
  }
}

function typing(target) {
  return target.closest("input:not([type=radio]):not([type=checkbox]), select, textarea, [contenteditable]");
}

function openRow(row) {
  row.querySelector("a")?.click();
}

function step(by) {
  const all = rows();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
  next?.querySelector("a")?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function press(key) {
  const dialog = document.querySelector("dialog[open]");
  if (dialog) {
    const radio = /^[1-9]$/.test(key) && dialog.querySelectorAll("input[type=radio]")[Number(key) - 1];
    if (radio) {
      radio.checked = true;
      radio.focus();
      return true;
    }
    return false;
  }
  const button = /^[a-z0-9]$/i.test(key) && document.querySelector(`main [data-key="${key.toLowerCase()}"]`);
  if (button) button.click();
  else if (key === "j" || key === "k") step(key === "j" ? 1 : -1);
  else if (key === "o") document.activeElement.closest(".link-row") && openRow(document.activeElement.closest(".link-row"));
  else if (key === "/") document.querySelector("[data-list-search]")?.focus();
  else if (key === "?") shortcuts.showModal();
  else return false;
  return true;
}

for (const box of document.querySelectorAll("[data-single-keys]")) {
  box.checked = remembered();
  box.addEventListener("change", () => window.localStorage.setItem(OFF, box.checked ? "0" : "1"));
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !remembered()) return;
  if (press(event.key)) event.preventDefault();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-keys]");
  if (link) {
    event.preventDefault();
    shortcuts.showModal();
  }
  const row = event.target.closest(".link-row");
  if (row && !event.target.closest("a, button, input, label, summary") && !window.getSelection().toString()) openRow(row);
});
