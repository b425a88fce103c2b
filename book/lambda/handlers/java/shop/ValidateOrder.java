package shop;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Validate an order of the shop; Lambda parses the event. */
public final class ValidateOrder {
  // Fields are made once an environment, in INIT.
  private final ShopLog log = new ShopLog(System.out);

  public Map<String, Object> handle(Map<String, Object> event) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("order", event.get("order"));
    answer.putAll(validate(event));
    log.info("order validated", answer);
    return answer;
  }

  private static Map<String, Object> validate(Map<String, Object> order) {
    if (!(order.get("order") instanceof String id) || id.isEmpty()) {
      return refused("order is empty");
    }
    if (!(order.get("items") instanceof List<?> items) || items.isEmpty()) {
      return refused("items are empty");
    }
    long total = 0;
    for (Object each : items) {
      Map<?, ?> item = (Map<?, ?>) each;
      if (!(item.get("quantity") instanceof Integer quantity)
          || quantity < 1
          || quantity > 100) {
        return refused("quantity must be 1 to 100");
      }
      if (!(item.get("price_cents") instanceof Integer price) || price < 0) {
        return refused("price_cents must be 0 or above");
      }
      total += (long) quantity * price;
    }
    Map<String, Object> accepted = new LinkedHashMap<>();
    accepted.put("accepted", true);
    accepted.put("total_cents", total);
    return accepted;
  }

  private static Map<String, Object> refused(String reason) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("accepted", false);
    answer.put("reason", reason);
    return answer;
  }
}
