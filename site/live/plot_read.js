// Reading values off a live figure by pointer, finger or arrow keys.
//
// Imports plot_data.js, plot_scale.js, plot_words.js. `nearest` is pure; `Reader` shows what it finds.

import { SHORT_UNIT, withUnit } from "./plot_data.js";
import { exact, THIN } from "./plot_scale.js";
import { escaped } from "./plot_words.js";

const MOST = 8;
const SNAP = 12;
const PULL = 6; // a measured point within so many units is read rather than the denser line beside it


/** The places that the arrow keys go through: where a series has a point, or the cells of a grid. */
function stopsOf(shown) {
  if (shown.cells) return shown.cells.cells.map(({ px, py }) => ({ px, py }));
  const places = new Set();
  for (const { points } of shown.hits) for (const p of points) places.add(Math.round(p.px * 4) / 4);
  const sorted = [...places].sort((a, b) => a - b);
  const stride = Math.max(1, Math.ceil(sorted.length / 120));
  return sorted.filter((_, i) => i % stride === 0 || i === sorted.length - 1).map((px) => ({ px, py: NaN }));
}

/** The values nearest to a place of the figure: {px, title, entries}, or null where there are none. */
export function nearest(data, shown, px, py) {
  if (shown.cells) return nearestCell(data, shown, px, py);
  const found = shown.hits.map((hit) => ({ ...hit, p: closest(data, shown, hit, px, py) })).filter(({ p }) => p);
  if (!found.length) return null;
  const off = ({ series, p }) => Math.abs(p.px - px) - (series.kind === "points" ? PULL : 0);
  const first = found.filter(({ series }) => series.kind !== "step" || data.categories)
    .reduce((a, b) => (a && off(a) <= off(b) ? a : b), null);
  // the hairline goes to a point nearby; lines and steps also say what they are between points
  const isBetween = !data.categories && found.some(({ series }) => series.kind === "line" || series.kind === "step");
  const isSnapped = first && !(isBetween && off(first) > SNAP);
  const at = isSnapped ? placeOf(data, shown, first) : Math.min(Math.max(px, shown.frame.left), shown.frame.right);
  const value = isSnapped ? first.series.x[first.p.i] : shown.at.x.invert(at);
  const entries = found.map((one) => entry(data, shown, one, at)).filter(Boolean);
  if (!entries.length) return null;
  if (data.stack.size) entries.reverse(); // as they lie on each other
  const unit = data.y.unit.length > SHORT_UNIT && entries.length > 1 ? ` (${data.y.unit})` : "";
  for (const e of entries) e.text = unit ? e.text : withUnit(e.text, data.y.unit);
  const place = data.categories ? data.categories[value] : `${data.x.label} ${withUnit(exact(value), data.x.unit)}`;
  return { px: at, title: place + unit, entries: entries.slice(0, MOST) };
}

// Bars of one category stand beside each other; they are read together, at its middle.
const placeOf = (data, shown, { series, p }) => (data.categories ? shown.at.x(series.x[p.i]) : p.px);

function closest(data, shown, { series, points }, px, py) {
  if (series.kind === "step" && !data.categories) return points.findLast((p) => p.px <= px + 0.01) ?? points[0];
  const slot = data.categories ? shown.at.x(1) - shown.at.x(0) : 0;
  const across = (p) => (data.categories ? Math.abs(shown.at.x(series.x[p.i]) - px) : Math.abs(p.px - px));
  const above = (p) => (Number.isNaN(py) ? 0 : Math.abs(p.py - py) * 1e-3); // of several above each other
  let best = null;
  let least = Infinity;
  for (const p of points) {
    const cost = across(p) + above(p);
    if (cost < least) { least = cost; best = p; }
  }
  return data.categories && least > slot / 2 + 1 ? null : best;
}

/** What a series says at the hairline: its point there, or what its line shows between two points. */
function entry(data, shown, { series, color, points, p }, at) {
  const said = (text, px, py, range) => ({ name: series.name, color, text, px, py, range });
  const isStep = series.kind === "step" && !data.categories;
  if (isStep && p.px > at + 0.01) return null;
  const k = points.indexOf(p);
  const gaps = [points[k - 1], points[k + 1]].filter(Boolean).map((q) => Math.abs(q.px - p.px));
  const reach = Math.max(3, ...gaps.map((gap) => Math.min(gap / 2, 8)));
  if (isStep || data.categories || Math.abs(p.px - at) <= reach) {
    const range = series.low && !Number.isNaN(series.low[p.i]) && !Number.isNaN(series.high[p.i])
      ? `${exact(series.low[p.i])} to ${exact(series.high[p.i])}` : "";
    return said(exact(series.y[p.i]), isStep ? at : p.px, p.py, range);
  }
  const [a, b] = p.px < at ? [p, points[k + 1]] : [points[k - 1], p];
  if (series.kind !== "line" || !a || !b || b.i !== a.i + 1) return null;
  const py = a.py + ((at - a.px) / (b.px - a.px)) * (b.py - a.py);
  const isFlat = series.y[a.i] === series.y[b.i];
  return said(isFlat ? exact(series.y[a.i]) : `≈${THIN}${exact(shown.at.y.invert(py))}`, at, py, "");
}

function nearestCell({ x, y, grid }, { cells: { cells, cellWidth, cellHeight } }, px, py) {
  const cell = cells.find((c) => Math.abs(c.px - px) <= cellWidth / 2 && Math.abs(c.py - py) <= cellHeight / 2);
  if (!cell) return null;
  const said = (value) => (typeof value === "number" ? exact(value) : value);
  const place = (axis, value) => `${axis.label} ${withUnit(said(value), axis.unit)}`;
  const title = `${place(y, grid.rows[cell.i])}, ${place(x, grid.columns[cell.j])}`;
  const text = Number.isFinite(cell.value) ? withUnit(exact(cell.value), grid.unit) : "no value";
  const { px: atX, py: atY } = cell;
  const entries = [{ name: "", color: "currentColor", px: atX, py: atY, text, range: "" }];
  return { px: atX, title, entries, cell: { cellWidth, cellHeight } };
}

/** Shows the reading: a hairline and dots in the figure, the values in a box beside. */
export class Reader {
  constructor(host, overlay, box, live, look) {
    Object.assign(this, { host, overlay, box, live, look });
    this.stop = -1;
    this.place = null;
    this.off = new AbortController();
    const on = (type, act) => host.addEventListener(type, act, { signal: this.off.signal });
    const follow = (event) => {
      const { left, top, width } = host.getBoundingClientRect();
      const unit = this.look().width / width;
      this.stop = -1;
      this.show({ px: (event.clientX - left) * unit, py: (event.clientY - top) * unit });
    };
    on("pointermove", follow);
    on("pointerdown", follow);
    on("pointerleave", (event) => { if (event.pointerType !== "touch") this.hide(); });
    on("blur", () => this.hide());
    on("keydown", (event) => this.key(event));
  }

  key(event) {
    const { shown } = this.look();
    const stops = stopsOf(shown);
    const rows = shown.cells ? new Set(stops.map((s) => s.py)).size : 1;
    const perRow = stops.length / rows;
    const last = stops.length - 1;
    const moves = {
      ArrowRight: (k) => k + 1, ArrowLeft: (k) => (k < 0 ? last : k - 1), Home: () => 0, End: () => last,
      PageUp: (k) => k + 10, PageDown: (k) => k - 10,
      ...(rows > 1 ? { ArrowDown: (k) => (k < 0 ? 0 : k + perRow), ArrowUp: (k) => (k < 0 ? 0 : k - perRow) } : {}),
    };
    if (event.key === "Escape") { this.hide(); return; }
    if (!moves[event.key] || !stops.length || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const next = moves[event.key](this.stop);
    this.stop = rows > 1 && (next < 0 || next > last) ? this.stop : Math.min(Math.max(next, 0), last);
    const reading = this.show(stops[this.stop]);
    if (reading) {
      const values = reading.entries.map((e) => `${e.name} ${e.text}${e.range && ` (${e.range})`}`.trim());
      this.live.textContent = `${reading.title}: ${values.join("; ")}`;
    }
  }

  show(place) {
    const { data, shown, width } = this.look();
    const { frame } = shown;
    this.place = place;
    const isOutside = place.px < frame.left - 8 || place.px > frame.right + 8;
    const reading = isOutside ? null : nearest(data, shown, place.px, place.py);
    if (!reading) { this.clear(); return null; }
    const { px, entries, cell } = reading;
    const dots = entries.filter((e) => !cell && !Number.isNaN(e.py))
      .map((e) => `<circle cx="${e.px}" cy="${e.py}" r="4" `
        + `style="fill: ${e.color}; stroke: var(--ground, #fff); stroke-width: 1.5"/>`);
    const line = cell
      ? `<rect x="${px - cell.cellWidth / 2}" y="${entries[0].py - cell.cellHeight / 2}" width="${cell.cellWidth}" `
        + `height="${cell.cellHeight}" style="fill: none; stroke: currentColor; stroke-width: 1.5"/>`
      : `<path d="M${px},${frame.top}V${frame.bottom}" `
        + 'style="fill: none; stroke: currentColor; stroke-width: 0.8; stroke-opacity: 0.45"/>';
    this.overlay.innerHTML = line + dots.join("");
    this.box.innerHTML = `<b>${escaped(reading.title)}</b>${entries.map((e) => `<span>${e.name && `<i style="background: ${e.color}"></i>${escaped(e.name)}`} `
      + `<b>${escaped(e.text)}</b>${e.range && ` <small>${escaped(e.range)}</small>`}</span>`).join("")}`;
    this.box.hidden = false;
    // on the side where the pointer is not
    this.box.classList.toggle("plot-left", px > width / 2);
    return reading;
  }

  /** Show again what is under a resting pointer, after the figure has changed. */
  again() {
    if (this.place) this.show(this.place);
  }

  clear() {
    this.overlay.innerHTML = "";
    this.box.hidden = true;
  }

  hide() {
    this.stop = -1;
    this.place = null;
    this.clear();
  }

  destroy() {
    this.off.abort();
  }
}
