// Sums of a journal while it is typed. Without this script the button "Check the sums" shows the same.
const form = document.querySelector("[data-journal]");
const list = form?.querySelector("[data-sums]");
const digits = new Map([...(form?.querySelectorAll("[data-exponent]") ?? [])].map((one) => [one.dataset.exponent, Number(one.value)]));

function currencyOf(line) {
  const words = line.querySelector("[name=account]").value.trim();
  const found = words.match(/\b([A-Z]{3})$/);
  return found ? found[1] : words ? line.dataset.currency : "";
}

function minor(text, exponent) {
  const found = text.replace(/[, ]/g, "").match(/^(\d+)(?:\.(\d*))?$/);
  if (!found || (found[2] ?? "").length > exponent) return null;
  return BigInt(found[1] + (found[2] ?? "").padEnd(exponent, "0"));
}

function shown(amount, currency) {
  const exponent = digits.get(currency) ?? 2;
  const text = String(amount).padStart(exponent + 1, "0");
  const whole = text.slice(0, text.length - exponent).replace(/\B(?=(\d{3})+$)/g, ",");
  return exponent ? `${whole}.${text.slice(-exponent)}` : whole;
}

function item(currency, debit, credit) {
  const row = document.createElement("li");
  const name = document.createElement("b");
  name.textContent = currency;
  const badge = document.createElement("span");
  const off = debit > credit ? debit - credit : credit - debit;
  badge.className = `badge badge-${off ? "warn" : "ok"}`;
  badge.textContent = off ? `Off by ${shown(off, currency)}` : "Even";
  row.append(name, ` debit ${shown(debit, currency)}, credit ${shown(credit, currency)} `, badge);
  return row;
}

function add() {
  const sums = new Map();
  for (const line of form.querySelectorAll("[data-line]")) {
    const currency = currencyOf(line);
    for (const side of ["debit", "credit"]) {
      const text = line.querySelector(`[name=${side}]`).value.trim();
      const amount = currency && text ? minor(text, digits.get(currency) ?? 2) : null;
      if (amount === null) continue;
      const both = sums.get(currency) ?? { debit: 0n, credit: 0n };
      both[side] += amount;
      sums.set(currency, both);
    }
  }
  if (sums.size) list.replaceChildren(...[...sums].sort().map(([currency, both]) => item(currency, both.debit, both.credit)));
}

form?.addEventListener("input", add);
