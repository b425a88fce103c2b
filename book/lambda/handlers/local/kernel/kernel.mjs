// Count the primes below a limit with a sieve; print the count and the time of the fastest run.
function primes(limit) {
  const composite = new Uint8Array(limit);
  let found = 0;
  for (let n = 2; n < limit; n++) {
    if (composite[n]) continue;
    found++;
    for (let multiple = n * n; multiple < limit; multiple += n) composite[multiple] = 1;
  }
  return found;
}

const [limit, runs] = process.argv.slice(2).map(Number);
let count, best = Infinity;
for (let run = 0; run < runs; run++) {
  const started = performance.now();
  count = primes(limit);
  best = Math.min(best, performance.now() - started);
}
console.log(count, best);
