# Minimal loop of the Lambda Runtime API for Ruby: for local runs, not for Lambda.
require "json"
require "net/http"

API = "/2018-06-01/runtime/"
host, port = ENV.fetch("AWS_LAMBDA_RUNTIME_API").split(":")
http = Net::HTTP.start(host, port.to_i, read_timeout: nil, keep_alive_timeout: 1_000_000)
told = ->(error) { { errorType: error.class.name, errorMessage: error.message }.to_json }

begin
  file, name = ENV.fetch("_HANDLER").split(".")
  require File.join(ENV.fetch("LAMBDA_TASK_ROOT"), file)
rescue StandardError, LoadError => error
  http.post("#{API}init/error", told.call(error))
  exit 1
end

begin
  loop do
    event = http.get("#{API}invocation/next")
    here = "#{API}invocation/#{event["Lambda-Runtime-Aws-Request-Id"]}/"
    begin
      answer = send(name, event: JSON.parse(event.body), context: nil)
      http.post("#{here}response", answer.to_json)
    rescue StandardError => error
      http.post("#{here}error", told.call(error))
    end
  end
rescue EOFError, SystemCallError
  exit 0 # the environment has ended
end
