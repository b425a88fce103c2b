# Count the primes below a limit with a sieve; print the count and the time of the fastest run.
def primes(limit)
  composite = Array.new(limit, false)
  found = 0
  n = 2
  while n < limit
    unless composite[n]
      found += 1
      multiple = n * n
      while multiple < limit
        composite[multiple] = true
        multiple += n
      end
    end
    n += 1
  end
  found
end

limit, runs = ARGV.map(&:to_i)
count = nil
times = Array.new(runs) do
  started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  count = primes(limit)
  1000 * (Process.clock_gettime(Process::CLOCK_MONOTONIC) - started)
end
puts "#{count} #{times.min}"
