//go:build lambda

// The binary for Lambda; first: go get github.com/aws/aws-lambda-go
package main

import (
	"example.com/shop/order"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(order.Handle)
}
