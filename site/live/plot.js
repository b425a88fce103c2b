// A live figure: draws a plain result again and again, in the look of the built figures.
//
//   const plot = new Plot(element, { name: "What the figure shows" });
//   plot.update(result, { reference, partial });
//
// It draws SVG into the 360 units wide view box of simulations/figures, so it can take the place of
// a built figure without a jump, and takes its colors from the page's variables, so it follows
// light and dark. Imports plot_*.js and, through plot_marks.js, d3-path and d3-shape.

import { csv, describe, read, tableRows } from "./plot_data.js";
import { PALETTE } from "./plot_marks.js";
import { Reader } from "./plot_read.js";
import { limitsOf, scene } from "./plot_scene.js";
import { escaped, TEXT } from "./plot_words.js";

const WIDTH = 360;
const HEIGHT = 244.8;
// The book shows a figure at most this many pixels wide; wider ones get more room, not larger words.
const WIDEST_PX = 600;
const LEAST_TEXT_PX = 10;
const REST_MS = 400;
// The light theme of site/static/book.css, for figures that leave the page.
const LIGHT = {
  ink: "#1b1e23", ground: "#ffffff", vermilion: "#b54624", blue: "#286cb2",
  purple: "#7f58ac", teal: "#0e7865", amber: "#926000", magenta: "#ac457b",
};
const FAMILY = '"Experiment Sans", "IBM Plex Sans", system-ui, sans-serif';

const STYLE = `
.plot { position: relative; touch-action: pan-y pinch-zoom; }
.plot > svg { display: block; width: 100%; height: auto; overflow: visible; font-family: var(--sans, ${FAMILY}); }
.plot > svg text { fill: currentColor; white-space: pre; }
.plot .label text { paint-order: stroke; stroke: var(--ground, #fff); stroke-width: 3px; stroke-linejoin: round; }
.plot-box {
  position: absolute; top: 0; right: 0; z-index: 2; display: grid; gap: .1rem; max-width: min(60%, 20rem);
  padding: .4rem .65rem; border: 1px solid var(--line, #ddd); border-radius: 6px;
  background: var(--ground, #fff); color: var(--ink, #111); opacity: .96; pointer-events: none;
  font: 400 .8125rem/1.35 var(--sans, sans-serif); font-variant-numeric: tabular-nums;
}
.plot-box[hidden] { display: none; }
.plot-box.plot-left { right: auto; left: 0; }
.plot-box b { font-weight: 600; }
.plot-box i { display: inline-block; width: .6em; height: .6em; margin-right: .4em; border-radius: 50%; }
.plot-box small { color: var(--soft, #666); }
.plot-busy {
  position: absolute; top: 0; right: 0; opacity: 0; pointer-events: none;
  color: var(--soft, #666); font: 400 .75rem/1.3 var(--sans, sans-serif);
}
.plot[aria-busy="true"] > .plot-busy { opacity: 1; transition: opacity .15s .3s; }
.plot-unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (prefers-reduced-motion: reduce) { .plot[aria-busy="true"] > .plot-busy { transition: none; } }
`;
let style = null;

/** Widths of texts in figure units, as the page's own font sets them; measured once each. */
class Ruler {
  constructor(family) {
    this.pen = document.createElement("canvas").getContext("2d");
    this.family = family;
    this.known = new Map();
    this.measure = (text, isBold = false) => {
      const key = (isBold ? "b" : "r") + text;
      if (!this.known.has(key)) {
        if (this.known.size > 5000) this.known.clear();
        this.pen.font = `${isBold ? 700 : 400} ${TEXT * 10}px ${this.family}`; // tenfold: no rounding to pixels
        this.known.set(key, this.pen.measureText(text).width / 10);
      }
      return this.known.get(key);
    };
  }
}

const sentence = (text) => (/[.!?]$/.test(text) ? text : `${text}.`);

const freshMemory = () => ({ keys: {}, home: {}, limits: {}, names: new Map() });

export class Plot {
  /**
   * @param {HTMLElement} element an empty element; the figure is as wide as it is
   * @param {{height?: number, name?: string, reducedMotion?: boolean}} options height in units of
   *   the view box (360 wide); `name` says what the figure shows
   */
  constructor(element, { height = HEIGHT, name = "", reducedMotion = false } = {}) {
    if (!style) {
      style = new CSSStyleSheet();
      style.replaceSync(STYLE);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, style];
    }
    this.element = element;
    this.height = height;
    this.name = name && sentence(name);
    this.plain = null;
    this.data = null;
    this.memory = freshMemory();
    this.host = document.createElement("div");
    this.host.className = "plot";
    this.host.tabIndex = 0;
    this.host.setAttribute("role", "group");
    this.host.setAttribute("aria-label", `${this.name || "Figure."} Arrow keys read the values.`);
    this.host.innerHTML = `<svg class="sbe-figure" role="img"><g></g><g aria-hidden="true" class="plot-over"></g></svg>
      <div class="plot-box" aria-hidden="true" hidden></div><div class="plot-busy" aria-hidden="true">computing …</div>
      <div class="plot-unseen" aria-live="polite"></div><div class="plot-unseen plot-table"></div>`;
    if (reducedMotion) this.host.querySelector(".plot-busy").style.transition = "none";
    element.replaceChildren(this.host);
    [this.canvas, this.box, , this.live, this.table] = this.host.children;
    [this.ink, this.over] = this.canvas.children;
    this.canvas.setAttribute("aria-label", this.name || "Figure.");
    this.ruler = new Ruler(getComputedStyle(this.canvas).fontFamily || FAMILY);
    this.width = this.wantedWidth();
    this.reader = new Reader(this.host, this.over, this.box, this.live, () => this);
    this.watch = new ResizeObserver(() => {
      const width = this.wantedWidth();
      if (Math.abs(width - this.width) < 0.5) return;
      this.width = width;
      this.forget();
      this.draw();
    });
    this.watch.observe(this.host);
    this.settled = document.fonts.ready.then(() => this.fonted());
  }

  // Words keep between 10 px and the size the book gives them; in between the figure only scales.
  wantedWidth() {
    const px = this.host.clientWidth || WIDEST_PX;
    return Math.max(Math.min(WIDTH, (px * TEXT) / LEAST_TEXT_PX), (px * WIDTH) / WIDEST_PX);
  }

  async fonted() {
    await Promise.allSettled([400, 700].map((weight) => document.fonts.load(`${weight} ${TEXT}px ${this.ruler.family}`)));
    if (!this.memory) return;
    this.ruler.known.clear();
    this.forget();
    this.draw();
  }

  // Margins and places of names were made for another width; the limits still hold.
  forget() {
    Object.assign(this.memory, { left: undefined, right: undefined, names: new Map() });
  }

  /** Start from the axes of this result (the chapter's setting), without drawing it. */
  home(plain) {
    const memory = freshMemory();
    limitsOf(read(plain), null, memory, false);
    this.memory.home = memory.home;
    if (!this.plain) Object.assign(this.memory, { keys: memory.keys, limits: memory.limits });
  }

  /** Draw a result; `reference` (the chapter's setting) faintly behind; `partial` while better ones come. */
  update(plain, { reference = null, partial = false } = {}) {
    if (!this.memory) return;
    const before = this.data;
    this.plain = plain;
    this.data = read(plain);
    // nothing yet: the axis of categories stays until something comes
    if (!this.data.series.length && !this.data.grid) this.data.categories = before?.categories ?? null;
    this.reference = reference && !reference.grid && !plain.grid ? read(reference) : null;
    this.partial = partial;
    this.host.setAttribute("aria-busy", String(partial));
    this.draw();
    clearTimeout(this.rest);
    if (!partial) this.rest = setTimeout(() => this.tell(), REST_MS);
  }

  draw() {
    if (!this.plain) return;
    const { data, reference, width, height, memory, partial } = this;
    this.shown = scene(data, { reference, width, height, measure: this.ruler.measure, memory, partial });
    const box = `0 0 ${Math.round(width * 100) / 100} ${height}`;
    if (this.canvas.getAttribute("viewBox") !== box) this.canvas.setAttribute("viewBox", box);
    this.ink.innerHTML = this.shown.markup;
    this.reader.again();
  }

  // What is read rather than seen is written when the figure has come to rest.
  tell() {
    this.canvas.setAttribute("aria-label", this.description());
    const { head, rows } = tableRows(this.data);
    const cells = (tag, row) => row.map((text) => `<${tag}>${escaped(text)}</${tag}>`).join("");
    this.table.innerHTML = `<table><caption>Values of the figure</caption><thead><tr>${cells("th", head)}</tr></thead>`
      + `<tbody>${rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("")}</tbody></table>`;
  }

  /** What the figure shows now, in words. */
  description() {
    if (!this.plain) return this.name;
    return `${this.name ? `${this.name} ` : ""}${describe(this.data)}`;
  }

  /** All values as comma-separated text. */
  csv() {
    return this.plain ? csv(this.plain) : "";
  }

  /** The figure as a file of its own: light colors written out, nothing loaded from anywhere. */
  svg() {
    if (!this.plain) return "";
    const copy = this.ink.cloneNode(true);
    // where the book's font is missing, other letters are set as wide as it would set them
    for (const text of copy.querySelectorAll("text")) {
      text.setAttribute("textLength", this.ruler.measure(text.textContent, text.style.fontWeight === "700").toFixed(2));
      text.setAttribute("lengthAdjust", "spacingAndGlyphs");
    }
    const names = new RegExp(`var\\(--(${[...Object.keys(PALETTE), "ground"].join("|")})(?:, [^)]*)?\\)`, "g");
    const ink = new XMLSerializer().serializeToString(copy)
      .replace(names, (_, name) => LIGHT[name]).replaceAll(/currentcolor/gi, LIGHT.ink);
    const { width, height } = this;
    const page = `viewBox="-6 -6 ${width + 12} ${height + 12}" width="${Math.round((width + 12) * 2)}" height="${Math.round((height + 12) * 2)}"`;
    const words = this.description();
    return `<svg xmlns="http://www.w3.org/2000/svg" ${page} role="img" aria-label="${escaped(words)}">`
      + `<title>${escaped(this.name || words)}</title><desc>${escaped(words)}</desc>`
      + `<style>text { font-family: ${FAMILY.replaceAll('"', "'")}; fill: ${LIGHT.ink}; white-space: pre } `
      + `.label text { paint-order: stroke; stroke: ${LIGHT.ground}; stroke-width: 3px; stroke-linejoin: round }</style>`
      + `<rect x="-6" y="-6" width="${width + 12}" height="${height + 12}" fill="${LIGHT.ground}"/>${ink}</svg>\n`;
  }

  /** Take the figure away and stop listening. */
  destroy() {
    clearTimeout(this.rest);
    this.watch.disconnect();
    this.reader.destroy();
    this.memory = null;
    this.plain = null;
    this.element.replaceChildren();
  }
}
