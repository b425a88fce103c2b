"""Count the primes below a limit with a sieve; print the count and the time of the fastest run."""

import sys
import time


def primes(limit: int) -> int:
    composite = bytearray(limit)
    found = 0
    for n in range(2, limit):
        if composite[n]:
            continue
        found += 1
        for multiple in range(n * n, limit, n):
            composite[multiple] = 1
    return found


limit, runs = int(sys.argv[1]), int(sys.argv[2])
times = []
for _ in range(runs):
    started = time.perf_counter()
    count = primes(limit)
    times.append(1000 * (time.perf_counter() - started))
print(count, min(times))
