import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Minimal loop of the Lambda Runtime API for Java, with the little JSON it needs: for local runs, not for Lambda. */
public final class Bootstrap {
  private static final String API =
      "http://" + System.getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/";

  public static void main(String[] words) throws Exception {
    Object handler;
    java.lang.reflect.Method method;
    try {
      String[] named = System.getenv("_HANDLER").split("::");
      handler = Class.forName(named[0]).getDeclaredConstructor().newInstance();
      method = handler.getClass().getMethod(named[1], Map.class);
    } catch (ReflectiveOperationException error) {
      call("POST", "init/error", told(error));
      System.exit(1);
      return;
    }
    while (true) {
      HttpURLConnection next = call("GET", "invocation/next", null);
      String here = "invocation/" + next.getHeaderField("Lambda-Runtime-Aws-Request-Id") + "/";
      String event = new String(next.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      try {
        Object answer = method.invoke(handler, new Reader(event).value());
        call("POST", here + "response", written(answer)).getInputStream().readAllBytes();
      } catch (java.lang.reflect.InvocationTargetException error) {
        call("POST", here + "error", told(error.getCause())).getInputStream().readAllBytes();
      }
    }
  }

  private static HttpURLConnection call(String method, String path, String body) throws IOException {
    var connection = (HttpURLConnection) URI.create(API + path).toURL().openConnection();
    connection.setRequestMethod(method);
    if (body != null) {
      connection.setDoOutput(true);
      try (OutputStream out = connection.getOutputStream()) {
        out.write(body.getBytes(StandardCharsets.UTF_8));
      }
    }
    connection.getResponseCode();
    return connection;
  }

  private static String told(Throwable error) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("errorType", error.getClass().getName());
    fields.put("errorMessage", String.valueOf(error.getMessage()));
    return written(fields);
  }

  private static String written(Object value) {
    if (value instanceof String text) {
      return quoted(text);
    }
    if (value instanceof Map<?, ?> map) {
      List<String> parts = new ArrayList<>();
      map.forEach((name, each) -> parts.add(quoted((String) name) + ":" + written(each)));
      return "{" + String.join(",", parts) + "}";
    }
    return String.valueOf(value);
  }

  private static String quoted(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (char letter : text.toCharArray()) {
      if (letter == '"' || letter == '\\') {
        json.append('\\').append(letter);
      } else if (letter < ' ') {
        json.append(String.format("\\u%04x", (int) letter));
      } else {
        json.append(letter);
      }
    }
    return json.append('"').toString();
  }

  /** Reads JSON into maps, lists, texts, Integers, Longs, Doubles, Booleans and null. */
  private static final class Reader {
    private final String text;
    private int at;

    Reader(String text) {
      this.text = text;
    }

    Object value() {
      char first = peek();
      if (first == '{') {
        return map();
      } else if (first == '[') {
        return list();
      } else if (first == '"') {
        return string();
      }
      int from = at;
      while (at < text.length() && ",]} \n\t\r".indexOf(text.charAt(at)) < 0) {
        at++;
      }
      String word = text.substring(from, at);
      switch (word) {
        case "true":
          return true;
        case "false":
          return false;
        case "null":
          return null;
        default:
          if (word.matches("-?[0-9]+")) {
            long number = Long.parseLong(word);
            if (number == (int) number) {
              return (int) number;
            }
            return number;
          }
          return Double.valueOf(word);
      }
    }

    private char peek() {
      while (Character.isWhitespace(text.charAt(at))) {
        at++;
      }
      return text.charAt(at);
    }

    private Map<String, Object> map() {
      Map<String, Object> found = new LinkedHashMap<>();
      at++;
      while (peek() != '}') {
        String name = string();
        peek();
        at++; // the colon
        peek();
        found.put(name, value());
        if (peek() == ',') {
          at++;
          peek();
        }
      }
      at++;
      return found;
    }

    private List<Object> list() {
      List<Object> found = new ArrayList<>();
      at++;
      while (peek() != ']') {
        found.add(value());
        if (peek() == ',') {
          at++;
        }
      }
      at++;
      return found;
    }

    private String string() {
      StringBuilder found = new StringBuilder();
      for (at++; text.charAt(at) != '"'; at++) {
        char letter = text.charAt(at);
        if (letter != '\\') {
          found.append(letter);
          continue;
        }
        letter = text.charAt(++at);
        if (letter == 'u') {
          found.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
          at += 4;
        } else {
          int known = "bfnrt".indexOf(letter);
          found.append(known < 0 ? letter : "\b\f\n\r\t".charAt(known));
        }
      }
      at++;
      return found.toString();
    }
  }
}
