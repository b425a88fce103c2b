// Minimal loop of the Lambda Runtime API for Go: for local runs, not for Lambda.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"

	"example.com/shop/order"
)

func main() {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		next, err := http.Get(api + "next")
		if err != nil {
			return // the environment has ended
		}
		here := api + next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		var event order.Order
		err = json.NewDecoder(next.Body).Decode(&event)
		io.Copy(io.Discard, next.Body)
		next.Body.Close()
		var answer any
		if err == nil {
			answer, err = order.Handle(context.Background(), event)
		}
		here += "/response"
		if err != nil {
			here = here[:len(here)-len("response")] + "error"
			answer = map[string]string{"errorType": "errorString", "errorMessage": err.Error()}
		}
		body, err := json.Marshal(answer)
		if err != nil {
			log.Fatal(err)
		}
		posted, err := http.Post(here, "application/json", bytes.NewReader(body))
		if err != nil {
			return
		}
		io.Copy(io.Discard, posted.Body)
		posted.Body.Close()
	}
}
