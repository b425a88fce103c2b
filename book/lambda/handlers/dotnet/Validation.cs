using System.Text.Json.Serialization;

namespace Shop;

public record Item(int? Quantity, int? PriceCents);

public record Order(
    [property: JsonPropertyName("order")] string? Id, List<Item>? Items);

public record Answer(
    [property: JsonPropertyName("order")] string? Id,
    bool Accepted, long? TotalCents = null, string? Reason = null);

public static class Validation
{
    public static Answer Validate(Order order)
    {
        Answer Refused(string reason) => new(order.Id, false, Reason: reason);

        if (string.IsNullOrEmpty(order.Id)) return Refused("order is empty");
        if (order.Items is not { Count: > 0 }) return Refused("items are empty");
        long total = 0;
        foreach (var item in order.Items)
        {
            if (item.Quantity is not (>= 1 and <= 100))
                return Refused("quantity must be 1 to 100");
            if (item.PriceCents is not >= 0)
                return Refused("price_cents must be 0 or above");
            total += (long)item.Quantity.Value * item.PriceCents.Value;
        }
        return new Answer(order.Id, true, total);
    }
}
