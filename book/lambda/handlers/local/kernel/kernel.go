// Count the primes below a limit with a sieve; print the count and the time of the fastest run.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

func primes(limit int) int {
	composite := make([]bool, limit)
	found := 0
	for n := 2; n < limit; n++ {
		if composite[n] {
			continue
		}
		found++
		for multiple := n * n; multiple < limit; multiple += n {
			composite[multiple] = true
		}
	}
	return found
}

func main() {
	limit, _ := strconv.Atoi(os.Args[1])
	runs, _ := strconv.Atoi(os.Args[2])
	count, best := 0, time.Duration(1<<62)
	for run := 0; run < runs; run++ {
		started := time.Now()
		count = primes(limit)
		best = min(best, time.Since(started))
	}
	fmt.Println(count, float64(best.Nanoseconds())/1e6)
}
