/** Count the primes below a limit with a sieve; print the count and the time of the fastest run. */
public final class Kernel {
  static int primes(int limit) {
    boolean[] composite = new boolean[limit];
    int found = 0;
    for (int n = 2; n < limit; n++) {
      if (composite[n]) {
        continue;
      }
      found++;
      for (long multiple = (long) n * n; multiple < limit; multiple += n) {
        composite[(int) multiple] = true;
      }
    }
    return found;
  }

  public static void main(String[] words) {
    int limit = Integer.parseInt(words[0]);
    int runs = Integer.parseInt(words[1]);
    int count = 0;
    double best = Double.MAX_VALUE;
    for (int run = 0; run < runs; run++) {
      long started = System.nanoTime();
      count = primes(limit);
      best = Math.min(best, (System.nanoTime() - started) / 1e6);
    }
    System.out.println(count + " " + best);
  }
}
