// The frame: colours and side bar. Change the colours at once; the cookie is set by the server, which renders the attribute of the next page.
const NAMES = { auto: "as the system", light: "light", dark: "dark" };
const ICONS = { auto: "monitor", light: "sun", dark: "moon" };
const NEXT = { auto: "light", light: "dark", dark: "auto" };

document.querySelector("[data-theme-form]")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const button = form.querySelector("button");
  const theme = button.value;
  const body = new FormData(form);
  body.set("theme", theme);
  const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Part": "theme" } });
  if (!answer.ok) return form.submit();
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const use = button.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${ICONS[theme]}`));
  button.value = NEXT[theme];
  button.title = `Colours: ${NAMES[theme]}`;
  button.setAttribute("aria-label", `Colours: ${NAMES[theme]}. Change to ${NEXT[theme]}`);
});

// A long side bar starts where the person is; only the bar moves, never the page.
const bar = document.querySelector(".side-scroll");
const here = bar?.querySelector('[aria-current="page"]');
if (here) {
  const beyond = here.getBoundingClientRect().bottom - bar.getBoundingClientRect().bottom;
  if (beyond > 0) bar.scrollTop += beyond + bar.clientHeight / 2;
}
