// Says how much is ticked on both sides; the page works without it.
const told = document.getElementById("bench-sum");
const boxes = [...document.querySelectorAll("[data-minor]")];
const first = told?.textContent;

function sum(side) {
  return boxes.filter((box) => box.checked && box.dataset.side === side).reduce((total, box) => total + BigInt(box.dataset.minor), 0n);
}

function text(minor) {
  const digits = Number(told.dataset.exponent);
  const bare = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, "0");
  const whole = bare.slice(0, bare.length - digits).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${minor < 0n ? "−" : ""}${whole}${digits ? `.${bare.slice(-digits)}` : ""} ${told.dataset.currency}`;
}

function tell() {
  const [bank, books] = [sum("bank"), sum("books")];
  const chosen = boxes.some((box) => box.checked && box.dataset.side === "books");
  told.textContent = chosen ? `Chosen: ${text(bank)} at the bank, ${text(books)} in our books. ${bank === books ? "They agree." : `Difference ${text(bank - books)}.`}` : first;
}

if (told) {
  for (const box of boxes) box.addEventListener("change", tell);
  tell();
}
