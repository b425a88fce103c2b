"""A module that is slow to import."""

import time

print("load")
time.sleep(0.4)
prices = {"book": 12.0}
