# Runtime provided.al2023: the zip holds one binary, called bootstrap.
export GOOS=linux GOARCH=arm64 CGO_ENABLED=0
go build -tags lambda,lambda.norpc -trimpath -ldflags=-s \
  -o bootstrap ./cmd/lambda
zip -q -X function.zip bootstrap
