// The page's one Python: started when first asked for, shared by all figures of the page.

import { RUNTIME, CORE, LIBRARY, IMAGE, MODULES } from "./manifest.js";

const ROOT = new URL("../", import.meta.url);
let worker = null;
let state = "asleep"; // asleep, loading, ready, broken
let why = "";
const listeners = new Map(); // figure → what hears its frames
const watchers = new Set(); // who hears of the state

export const status = () => ({ state, why });

export function watch(heard) {
  watchers.add(heard);
  heard({ state, why });
}

function now(next, reason = "") {
  state = next;
  why = reason;
  for (const heard of watchers) heard({ state, why });
}

/** What the worker has loaded, which the page does not see. */
export const loaded = () => [
  new URL("worker.js", import.meta.url).href,
  new URL(LIBRARY, ROOT).href,
  ...CORE.map((name) => new URL(`${RUNTIME}/${name}`, ROOT).href),
];

/** Start Python unless it runs; `packages` are the page's modules of experiments. */
export function start(packages) {
  if (state !== "asleep") return;
  if (typeof WebAssembly !== "object" || typeof Worker !== "function") {
    now("broken", "this browser does not run WebAssembly");
    return;
  }
  now("loading");
  try {
    worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  } catch (problem) {
    now("broken", problem.message);
    return;
  }
  worker.onerror = (event) => {
    event.preventDefault();
    broken(event.message || "its files could not be loaded");
  };
  worker.onmessage = ({ data }) => {
    if (data.ready) now("ready");
    else if (data.figure) listeners.get(data.figure)?.(data);
    else if (data.failed) broken(data.failed);
  };
  worker.postMessage({
    start: {
      runtime: new URL(`${RUNTIME}/`, ROOT).href,
      library: new URL(LIBRARY, ROOT).href,
      name: new URL(IMAGE, ROOT).href,
      packages: packages.filter((name) => MODULES.includes(name)),
    },
  });
}

function broken(reason) {
  worker?.terminate();
  worker = null;
  now("broken", reason);
}

/** Run an experiment for a figure; a newer run of the same figure replaces it. */
export function run(figure, id, experiment, parameters, heard) {
  listeners.set(figure, heard);
  worker?.postMessage({ figure, run: id, experiment, parameters: JSON.stringify(parameters) });
}

/** Give up what runs for a figure. */
export function drop(figure) {
  worker?.postMessage({ figure, drop: true });
}
