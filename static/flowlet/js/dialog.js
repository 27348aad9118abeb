// Open the page of an action in a dialog. Without this script the same link opens the same form as a page.
const dialog = document.getElementById("ask");

function show(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const form = page.querySelector("[data-ask-form]");
  if (!form) return false;
  dialog.replaceChildren(document.importNode(form, true));
  if (!dialog.open) dialog.showModal();
  const target = dialog.querySelector("[aria-invalid=true], [data-alert], select, input[type=radio], textarea");
  target?.focus();
  return true;
}

async function ask(href) {
  const answer = await fetch(href, { headers: { "X-Part": "dialog" } });
  if (answer.redirected || !show(await answer.text())) window.location.assign(href);
}

async function send(form) {
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-Part": "dialog" } });
    const next = answer.headers.get("X-Next");
    if (next) window.location.assign(next);
    else if (answer.redirected || !show(await answer.text())) window.location.reload();
  } catch {
    button.disabled = false;
    form.querySelector("[data-offline]").hidden = false;
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-ask]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    ask(link.href);
  }
  if (event.target.closest("#ask [data-close]") || event.target === dialog) {
    event.preventDefault();
    dialog.close();
  }
  for (const pop of document.querySelectorAll("details.pop[open]")) {
    if (!pop.contains(event.target)) pop.open = false;
  }
});
dialog?.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.target);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const pop = document.querySelector("details.pop[open]");
  if (pop) {
    pop.open = false;
    pop.querySelector("summary").focus();
  }
});
