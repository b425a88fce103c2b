"""One JSON line a message. Imported once an environment, in INIT."""

import json
import logging
import sys


class JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"level": record.levelname, "message": record.getMessage()}
        return json.dumps(line | getattr(record, "fields", {}))


log = logging.getLogger("shop")
log.setLevel(logging.INFO)
log.propagate = False  # else the runtime's handler writes each line again
log.addHandler(logging.StreamHandler(sys.stdout))
log.handlers[0].setFormatter(JsonLine())
