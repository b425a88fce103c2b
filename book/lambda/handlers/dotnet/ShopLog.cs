using System.Text.Json;
using System.Text.Json.Serialization;

namespace Shop;

public record LogLine(
    string Level, string Message,
    [property: JsonPropertyName("order")] string? Id,
    bool Accepted, long? TotalCents, string? Reason);

/// <summary>One JSON line a message.</summary>
public static class ShopLog
{
    public static void Info(string message, Answer answer)
    {
        var line = new LogLine(
            "INFO", message, answer.Id, answer.Accepted,
            answer.TotalCents, answer.Reason);
        Console.WriteLine(JsonSerializer.Serialize(line, ShopJson.Default.LogLine));
    }
}

// Readers and writers are generated when it is compiled, not found at run time.
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Order))]
[JsonSerializable(typeof(Answer))]
[JsonSerializable(typeof(LogLine))]
public partial class ShopJson : JsonSerializerContext;
