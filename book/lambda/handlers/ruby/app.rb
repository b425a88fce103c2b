# Validate an order of the shop.
require_relative "shop_log"

def refused(reason) = { "accepted" => false, "reason" => reason }

def whole?(number, range) = number.is_a?(Integer) && range.cover?(number)

def validate(order)
  id, items = order.values_at("order", "items")
  return refused("order is empty") unless id.is_a?(String) && !id.empty?
  return refused("items are empty") unless items.is_a?(Array) && items.any?

  total = 0
  items.each do |item|
    quantity, price = item.values_at("quantity", "price_cents")
    return refused("quantity must be 1 to 100") unless whole?(quantity, 1..100)
    return refused("price_cents must be 0 or above") unless whole?(price, 0..)

    total += quantity * price
  end
  { "accepted" => true, "total_cents" => total }
end

def handler(event:, context:)
  answer = { "order" => event["order"], **validate(event) }
  LOG.info(message: "order validated", **answer.transform_keys(&:to_sym))
  answer
end
