// Say two minutes ahead that the log-in is about to end, so that nothing typed is lost.
const seconds = Number(document.body.dataset.idle);
const note = document.getElementById("idle");
let timer = 0;

function wind() {
  clearTimeout(timer);
  if (note) note.hidden = true;
  if (seconds) timer = setTimeout(() => note && (note.hidden = false), (seconds - 120) * 1000);
}

note?.querySelector("button")?.addEventListener("click", async () => {
  const answer = await fetch(note.dataset.url, { headers: { "X-Part": "stay" } });
  if (answer.ok && !answer.redirected) wind();
  else window.location.reload();
});
wind();
