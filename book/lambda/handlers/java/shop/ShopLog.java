package shop;

import java.io.PrintStream;
import java.util.Map;
import java.util.StringJoiner;

/** One JSON line a message, for flat fields. */
final class ShopLog {
  private final PrintStream out;

  ShopLog(PrintStream out) {
    this.out = out;
  }

  void info(String message, Map<String, Object> fields) {
    StringJoiner json = new StringJoiner(",", "{", "}");
    json.add("\"level\":\"INFO\"").add("\"message\":" + quoted(message));
    fields.forEach((name, value) -> json.add(quoted(name) + ":" + json(value)));
    out.println(json); // one call, one line: threads cannot mix theirs
  }

  private static String json(Object value) {
    return value instanceof String text ? quoted(text) : String.valueOf(value);
  }

  private static String quoted(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (char letter : text.toCharArray()) {
      if (letter == '"' || letter == '\\') {
        json.append('\\').append(letter);
      } else if (letter < ' ' || letter > '~') { // no line break
        json.append(String.format("\\u%04x", (int) letter));
      } else {
        json.append(letter);
      }
    }
    return json.append('"').toString();
  }
}
