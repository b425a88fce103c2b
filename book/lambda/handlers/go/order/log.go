package order

import (
	"log/slog"
	"os"
)

// One JSON line a message. Runs once an environment, in INIT.
func init() {
	plain := func(_ []string, field slog.Attr) slog.Attr {
		switch field.Key {
		case slog.TimeKey: // Lambda's log has a time of its own
			return slog.Attr{}
		case slog.MessageKey:
			field.Key = "message"
		}
		return field
	}
	options := &slog.HandlerOptions{ReplaceAttr: plain}
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, options)))
}
