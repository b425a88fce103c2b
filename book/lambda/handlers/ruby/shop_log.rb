# One JSON line a message. Loaded once an environment, in INIT.
require "json"
require "logger"

$stdout.sync = true # written when it is logged, not when a buffer is full
LOG = Logger.new($stdout)
LOG.formatter = lambda do |level, _time, _name, fields|
  "#{{ level: level, **fields }.to_json}\n"
end
