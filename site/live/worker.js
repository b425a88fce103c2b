// Python in the page: one runtime for all its live figures, run between two results of which the
// page may change its mind. A worker has no other way to be stopped, so it returns to its event
// loop after every result. What it says: {step}, {ready}, {failed}, and for a figure
// {figure, run, last, frame | refused | failed}.

const KEEP = "live-python";
const POST_EVERY_MS = 40;
const LIBRARY = "/library";

const running = new Map(); // figure → {run, posted}
const waiting = new Map(); // what was asked before Python was ready
const turns = new MessageChannel(); // its messages queue up behind those of the page
let python = null;
let runs = null;
let image = null; // the memory image that is still to be kept for the next page

turns.port1.onmessage = turn;

onmessage = ({ data }) => {
  if (data.start) start(data.start).catch((problem) => postMessage({ failed: sentence(problem) }));
  else if (runs) begin(data);
  else waiting.set(data.figure, data);
};

function begin({ figure, run, experiment, parameters, drop }) {
  const idle = running.size === 0;
  if (drop) {
    runs.drop(figure);
    running.delete(figure);
    return;
  }
  runs.begin(figure, experiment, parameters);
  running.set(figure, { run, posted: -Infinity });
  if (idle) turns.port2.postMessage(0);
}

function turn() {
  for (const [figure, one] of [...running]) {
    const due = performance.now() - one.posted >= POST_EVERY_MS;
    const said = JSON.parse(runs.step(figure, due));
    if (said.last) running.delete(figure);
    if (said.frame) one.posted = performance.now();
    if (said.last || said.frame) postMessage({ figure, run: one.run, ...said });
  }
  if (running.size) turns.port2.postMessage(0);
  else if (image) keep();
}

// Pyodide waits for ever where its WebAssembly is blocked or missing; this tells.
const unrunnable = new Promise((_, reject) => {
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const original = WebAssembly[name];
    WebAssembly[name] = (...given) => original.apply(WebAssembly, given).catch((problem) => {
      reject(problem);
      throw problem;
    });
  }
});
unrunnable.catch(() => {});

async function start({ runtime, library, packages, name }) {
  // both ends of the way in from the network begin at once
  const zip = fetch(library).then((answer) => {
    if (!answer.ok) throw new Error(`${answer.status} for ${library}`);
    return answer.arrayBuffer();
  });
  zip.catch(() => {}); // told where it is awaited
  const { loadPyodide } = await import(new URL("pyodide.mjs", runtime).href);
  const load = (more) => Promise.race([loadPyodide({ indexURL: runtime, ...more }), unrunnable]);
  const kept = await recall(name);
  if (kept) {
    try {
      python = await load({ _loadSnapshot: kept });
    } catch {
      python = null; // an image of another browser version: begin afresh
    }
  }
  const fresh = python === null;
  if (fresh) python = await load({ _makeSnapshot: true });
  python.unpackArchive(await zip, "zip", { extractDir: LIBRARY });
  python.runPython(`
import sys, importlib
sys.dont_write_bytecode = True
if ${JSON.stringify(LIBRARY)} not in sys.path:
    sys.path.insert(0, ${JSON.stringify(LIBRARY)})
importlib.invalidate_caches()
for module in ${JSON.stringify(packages)}:
    importlib.import_module("simulations.experiments." + module)
from simulations.live import Runs
runs = Runs()
`);
  if (fresh && self.caches) {
    try {
      image = { bytes: python.makeMemorySnapshot(), name };
    } catch {
      image = null; // the next page starts as this one did
    }
  }
  runs = python.globals.get("runs");
  postMessage({ ready: true, fresh });
  for (const asked of waiting.values()) begin(asked);
  waiting.clear();
  if (!running.size && image) keep();
}

async function recall(name) {
  try {
    const found = await (await caches.open(KEEP)).match(name);
    return found ? new Uint8Array(await found.arrayBuffer()) : null;
  } catch {
    return null; // no storage here, or not for us
  }
}

async function keep() {
  const { bytes, name } = image;
  image = null;
  try {
    const cache = await caches.open(KEEP);
    for (const old of await cache.keys()) await cache.delete(old);
    await cache.put(name, new Response(bytes, { headers: { "Content-Type": "application/octet-stream" } }));
  } catch {
    // no room: the next page starts as this one did
  }
}

function sentence(problem) {
  const lines = String(problem?.message ?? problem).trim().split("\n");
  return lines[lines.length - 1].slice(0, 200);
}
