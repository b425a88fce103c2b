// One JSON line a message. Loaded once an environment, in INIT.
export function log(level, message, fields) {
  const line = JSON.stringify({ level, message, ...fields });
  process.stdout.write(line + "\n");
}
