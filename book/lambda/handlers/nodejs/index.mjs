// Validate an order of the shop.
import { log } from "./shop-log.mjs";

const refused = (reason) => ({ accepted: false, reason });
const between = (number, low, high) =>
  Number.isInteger(number) && low <= number && number <= high;

function validate({ order, items }) {
  if (typeof order !== "string" || !order) return refused("order is empty");
  if (!Array.isArray(items) || !items.length) return refused("items are empty");
  let total = 0;
  for (const { quantity, price_cents: price } of items) {
    if (!between(quantity, 1, 100)) return refused("quantity must be 1 to 100");
    if (!between(price, 0, Infinity))
      return refused("price_cents must be 0 or above");
    total += quantity * price;
  }
  return { accepted: true, total_cents: total };
}

// async, no callback: Node.js 24 refuses handlers with three parameters
export const handler = async (event, context) => {
  const answer = { order: event.order ?? null, ...validate(event) };
  log("INFO", "order validated", answer);
  return answer;
};
