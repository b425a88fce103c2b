// Service worker: keeps what the pages with live figures load, for the next page and for offline.
// Files whose names carry a hash never change and are answered from here; everything else is asked
// of the network first and answered from here when there is none. Registered when a reader first
// touches a control, never before. The build puts the current names in the place of CURRENT.

const CURRENT = [];
const CACHE = "live-files";
const SCOPE = new URL("./", self.location.href).href;
const LIVE = `${SCOPE}live/`;
const IMAGE = "live-python";

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([forget(), self.clients.claim()]));
});

/** Drop the files of earlier builds. */
async function forget() {
  const isOld = (url) => url.startsWith(LIVE) && !CURRENT.some((name) => url.startsWith(LIVE + name));
  for (const name of [CACHE, IMAGE]) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) if (isOld(request.url)) await cache.delete(request);
  }
}

// A page tells what it loaded before this worker could see it; the browser has it yet.
self.addEventListener("message", (event) => {
  const urls = Array.isArray(event.data?.loaded) ? event.data.loaded : [];
  event.waitUntil(Promise.all(urls.map(add)));
});

async function add(url) {
  if (!String(url).startsWith(SCOPE)) return;
  const cache = await caches.open(CACHE);
  if (await cache.match(key(url))) return;
  try {
    const answer = await fetch(url, { cache: "force-cache" });
    if (answer.ok) await cache.put(key(url), answer);
  } catch {
    // gone meanwhile: nothing to keep
  }
}

const key = (url) => url.split(/[?#]/)[0];

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(SCOPE)) return;
  const isFixed = CURRENT.some((name) => request.url.startsWith(LIVE + name));
  event.respondWith(isFixed ? fixed(request) : fresh(event));
});

async function fixed(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(key(request.url));
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(key(request.url), answer.clone());
  return answer;
}

async function fresh(event) {
  const { request } = event;
  try {
    const answer = await fetch(request);
    if (answer.ok && answer.status === 200) {
      const copy = answer.clone();
      event.waitUntil(caches.open(CACHE).then((cache) => cache.put(key(request.url), copy)));
    }
    return answer;
  } catch (problem) {
    const kept = await (await caches.open(CACHE)).match(key(request.url));
    if (kept) return kept;
    throw problem;
  }
}
