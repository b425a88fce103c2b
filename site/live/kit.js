// Live figures: controls for the built figures of a page, and what happens when one is moved.
// Everything about a figure comes from its experiment, as the build wrote it into the page; this
// file knows no chapter. Nothing is fetched before the reader touches a control.

import { DATA, MEGABYTES, LAB } from "./manifest.js";
import { make, panel } from "./panel.js";
import * as runtime from "./runtime.js";
import { fromAddress, notice, toAddress } from "./settings.js";

const ROOT = new URL("../", import.meta.url);
const TELL_AFTER_MS = 700; // a screen reader hears of a result when the reader pauses
const SIZE = `${MEGABYTES} MB`;
const figures = [];

class Live {
  constructor(element) {
    this.element = element;
    Object.assign(this, JSON.parse(element.querySelector("script.live-form").textContent));
    this.slug = element.id.replace(/^live-/, "");
    this.picture = element.querySelector(".live-picture");
    this.numbers = element.querySelector(".live-numbers");
    this.chapter = Object.fromEntries(this.controls.map((one) => [one.name, one.default]));
    this.settings = { ...this.chapter };
    this.asked = 0;
    this.frame = null; // the latest result shown
    this.data = null; // the built results, once fetched
    this.plot = null;
    this.allowed = false; // to load Python
  }

  build() {
    this.panel = panel(this, {
      change: (name, value) => this.change(name, value),
      preset: (name) => this.preset(name),
      replay: () => this.compute(true),
      compare: () => this.redraw(),
      link: () => this.link(),
      save: (kind) => this.save(kind),
    });
    this.element.classList.add("ready");
    this.picture.after(this.panel.element);
    this.panel.hold(this.numbers);
    this.tell(`Moving a control loads Python into this page: ${SIZE}, once.`);
    this.panel.lab(this.lines(), LAB && new URL(LAB, new URL("../", ROOT)).href);
    this.open();
  }

  /** Take over what the page's address asks for. */
  open() {
    const slugs = figures.map((one) => one.slug);
    const asked = fromAddress(location.search, this.slug, this.controls, slugs);
    const warning = notice(asked);
    if (warning) queueMicrotask(() => this.panel.warn(warning)); // after a preset's own
    if (!Object.keys(asked.settings).length) return;
    Object.assign(this.settings, asked.settings);
    this.panel.set(this.settings);
    const preset = this.matching();
    if (preset === "") return; // as it stands there
    if (preset !== null) this.preset(preset);
    else this.offer(`This link carries its own settings.`);
  }

  /** The preset ("" for the chapter's setting) that is set now, or null. */
  matching() {
    const same = (values) => this.controls.every(({ name }) => this.settings[name] === values[name]);
    if (same(this.chapter)) return "";
    const found = Object.entries(this.presets).find(([, values]) => same({ ...this.chapter, ...values }));
    return found ? found[0] : null;
  }

  change(name, value) {
    this.settings[name] = value;
    this.panel.mark(this.matching());
    this.panel.warn("");
    this.panel.lab(this.lines());
    this.compute(false);
  }

  /** Show what the build has computed: the chapter's setting or a preset. */
  async preset(name) {
    this.panel.warn("");
    this.settings = { ...this.chapter, ...(this.presets[name] ?? {}) };
    this.panel.set(this.settings);
    this.panel.mark(name);
    this.panel.lab(this.lines());
    const run = ++this.asked;
    runtime.drop(this.slug);
    try {
      await this.fetch();
    } catch {
      this.tell("The results of the presets could not be loaded; the figure stays as built.");
      return;
    }
    if (run !== this.asked) return;
    this.panel.busy(false);
    this.show(name ? this.data.presets[name] : this.data.chapter, true);
    this.tell(name ? `Preset “${name}”, computed when the book was built.` : "The chapter's setting.");
  }

  /** Ask before loading where the reader's device saves data, or a link brought the settings. */
  offer(why) {
    this.tell(`${why} `, make("button", { type: "button", textContent: `Load Python (${SIZE}) and compute`, onclick: () => {
      this.allowed = true;
      this.panel.focus();
      this.compute(false);
    } }));
  }

  compute(replay) {
    const { state, why } = runtime.status();
    if (state === "broken") return this.broken(why);
    if (state === "asleep" && !this.allowed && navigator.connection?.saveData) {
      return this.offer("This device asks to save data.");
    }
    const run = ++this.asked;
    this.began = performance.now();
    this.panel.busy(true);
    if (state === "asleep") {
      runtime.start([...new Set(figures.map((one) => one.experiment.split(".")[0]))]);
      runtime.watch((now) => this.runtimeSays(now));
      if (runtime.status().state === "broken") return undefined; // it has been said
    }
    if (state !== "ready") this.tell(`Loading Python, ${SIZE} …`);
    if (replay) this.plot?.update(empty(this.frame), { reference: this.reference(), partial: true });
    this.fetch().catch(() => {}); // for comparing; not needed to compute
    const send = () => runtime.run(this.slug, run, this.experiment, this.settings, (said) => this.hear(said));
    send();
    return undefined;
  }

  runtimeSays({ state, why }) {
    if (state === "broken") for (const one of figures) one.broken(why);
    if (state === "ready") keepForLater();
  }

  broken(why) {
    this.panel.busy(false);
    this.panel.stop();
    this.tell(`Python does not run in this page (${why}), so the figure stays as it is; presets work.`);
  }

  async hear(said) {
    if (said.run !== this.asked) return;
    if (said.frame) {
      const run = this.asked;
      await this.ready();
      if (run !== this.asked) return;
      this.show(said.frame, said.last);
    }
    if (said.last) this.panel.busy(false);
    if (said.refused) this.tell(sentence(said.refused));
    else if (said.failed) this.tell(`The experiment failed: ${said.failed}`);
    else if (said.last) this.tell(`Computed in this page in ${Math.max(1, Math.round(performance.now() - this.began))} ms.`);
  }

  /** The code that draws; the built picture stays until there is something to draw. */
  async ready() {
    this.Plot ??= (await import("./plot.js")).Plot;
  }

  /** Put the drawing in the place of the built picture. */
  swap() {
    const height = this.picture.querySelector("svg").viewBox.baseVal.height;
    const box = make("div", { className: "live-plot" });
    this.picture.replaceChildren(box);
    this.plot = new this.Plot(box, { height, reducedMotion: matchMedia("(prefers-reduced-motion: reduce)").matches });
    if (this.data) this.plot.home(this.data.chapter);
  }

  async fetch() {
    this.fetching ??= fetch(new URL(DATA[this.experiment], ROOT)).then((answer) => {
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.json();
    }).catch((problem) => {
      this.fetching = null;
      throw problem;
    });
    this.data = await this.fetching;
    await this.ready();
    this.plot?.home(this.data.chapter);
  }

  reference() {
    return this.panel.comparing() && this.matching() !== "" ? this.data?.chapter ?? null : null;
  }

  show(frame, last) {
    this.frame = frame;
    this.last = last;
    this.panel.progress(frame.progress);
    if (!this.due) {
      this.due = requestAnimationFrame(() => {
        this.due = 0;
        this.redraw();
      });
    }
  }

  redraw() {
    if (!this.frame || !this.Plot) return;
    if (!this.plot) this.swap();
    const reference = this.reference();
    this.plot.update(this.frame, { reference, partial: !this.last });
    this.writeNumbers(this.frame.numbers, reference?.numbers);
    const shown = { run: this.asked, last: this.last };
    this.element.dispatchEvent(new CustomEvent("live-drawn", { detail: shown, bubbles: true }));
    clearTimeout(this.telling);
    if (this.last) {
      this.telling = setTimeout(() => this.panel.announce(this.spoken()), TELL_AFTER_MS);
    }
  }

  writeNumbers(numbers, chapter) {
    this.numbers.replaceChildren(...Object.entries(numbers).map(([name, number]) => {
      const value = make("dd", { textContent: number.text });
      if (number.between) value.append(make("small", { textContent: number.between }));
      if (chapter?.[name]) value.append(make("small", { className: "was", textContent: `chapter: ${chapter[name].text}` }));
      const one = make("div");
      one.append(make("dt", { textContent: name }), value);
      return one;
    }));
  }

  spoken() {
    const numbers = Object.entries(this.frame.numbers).slice(0, 3).map(([name, one]) => `${name} ${one.text}`);
    return [numbers.join(", "), this.plot.description()].filter(Boolean).join(". ");
  }

  tell(text, more = null) {
    this.panel.tell(text, more);
  }

  lines() {
    const changed = this.controls.filter((one) => this.settings[one.name] !== one.default);
    const python = (value) => (typeof value === "boolean" ? (value ? "True" : "False") : JSON.stringify(value));
    const given = [this.experiment, ...changed.map((one) => one.name)].map((name, i) => (
      i ? `${name}=${python(this.settings[name])}` : python(name)
    ));
    return `from simulations.widgets import explore\n\nexplore(${given.join(", ")})`;
  }

  address() {
    return toAddress(location.href.split(/[?#]/)[0], this.slug, this.element.id, this.controls, this.settings);
  }

  async link() {
    const address = this.address();
    history.replaceState(null, "", address);
    try {
      await navigator.clipboard.writeText(address);
      this.tell("The link to this setting is copied.");
    } catch {
      this.tell("The link to this setting stands in the address bar now.");
    }
  }

  async save(kind) {
    try {
      await this.fetch();
    } catch {
      if (!this.frame) {
        this.tell("The figure's data could not be loaded.");
        return;
      }
    }
    if (!this.frame) {
      this.show(this.data.chapter, true);
      await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
    }
    const text = kind === "svg" ? this.plot.svg() : this.plot.csv();
    const file = new Blob([text], { type: kind === "svg" ? "image/svg+xml" : "text/csv" });
    const href = URL.createObjectURL(file);
    make("a", { href, download: `${this.slug}.${kind}` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 10_000);
  }
}

const sentence = (text) => (/[.!?]$/.test(text) ? text : `${text}.`);

/** The axes of a result without its series: a replay begins there. */
const empty = (frame) => (frame ? { ...frame, series: [], numbers: {}, grid: null } : frame);

/** Let a service worker keep what this page has loaded, for the next page and for offline. */
async function keepForLater() {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  try {
    await workers.register(new URL("../live-offline.js", ROOT), { updateViaCache: "none" });
    const { active } = await workers.ready;
    const page = performance.getEntriesByType("resource").map((one) => one.name);
    active.postMessage({ loaded: [location.href, ...page, ...runtime.loaded()] });
  } catch {
    // private window or blocked: the next page asks the network again
  }
}

for (const element of document.querySelectorAll("figure.live")) figures.push(new Live(element));
for (const one of figures) one.build();
