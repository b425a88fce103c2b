// The series of a live figure as SVG, in the strokes and colors of simulations/figures/drawing.py.
//
// Imports plot_words.js, and d3-path and d3-shape (served beside it), which make the paths of lines,
// steps and bands.
// Each function returns markup and, for labels and readout, where its points lie.

import "./d3-path.min.js";
import "./d3-shape.min.js";

import { n } from "./plot_words.js";

const { area, curveLinear, curveStepAfter, line } = globalThis.d3;

// simulations/figures/style.py; the page gives each variable a darker and a lighter variant.
export const PALETTE = {
  vermilion: "#D9542B", blue: "#2F7FD1", purple: "#9A6BD0", teal: "#118F78", amber: "#B97A00", magenta: "#C8508F",
};
const ROLE_COLOR = {
  coupled: "vermilion", decoupled: "blue", theory: "purple", measured: "teal", limit: "amber", fifth: "magenta",
};
const LINE = 1.9;
const BAR_WIDTH = 0.72;
export const PALER = 0.5; // the second part of a stack in one role
const MARK = 3.15; // a marker's radius with its edge
// A line may have this many points to each unit of width before those between are left out.
const CROWD = 4;

export function color(role) {
  const name = ROLE_COLOR[role];
  return name ? `var(--${name}, ${PALETTE[name]})` : "currentColor";
}

const stroke = (ink, width, more = "") => `style="fill: none; stroke: ${ink}; stroke-width: ${width}${more}"`;

const path = (d, style) => (d ? `<path d="${d}" ${style}/>` : "");

/**
 * The points of a polyline that decide what it looks like: of each half unit of width the first,
 * the lowest, the highest and the last, and every gap. Few points are all kept.
 */
function telling(points, width) {
  if (points.length <= width * CROWD) return points;
  const kept = [];
  let bin = [];
  const flush = () => {
    if (bin.length <= 4) kept.push(...bin);
    else {
      let [low, high] = [0, 0];
      for (let i = 1; i < bin.length; i += 1) {
        if (bin[i].py > bin[low].py) low = i;
        if (bin[i].py < bin[high].py) high = i;
      }
      for (const i of [...new Set([0, low, high, bin.length - 1])].sort((a, b) => a - b)) kept.push(bin[i]);
    }
    bin = [];
  };
  let at = NaN;
  for (const p of points) {
    const here = Math.round(p.px * 2);
    if (here !== at) flush();
    at = here;
    if (Number.isNaN(p.px) || Number.isNaN(p.py)) { flush(); kept.push(p); } else bin.push(p);
  }
  flush();
  return kept;
}

const drawn = (p) => !Number.isNaN(p.px) && !Number.isNaN(p.py);

/** The points of a series on the page: {i, px, py, top, bottom}; NaN where there is none. */
function pointsOf(series, at, stack) {
  return Array.from(series.x, (x, i) => ({
    i,
    px: at.x(x),
    py: at.y(stack ? stack[i][1] : series.y[i]),
    top: series.high ? at.y(series.high[i]) : NaN,
    bottom: series.low ? at.y(series.low[i]) : NaN,
  }));
}

/** A line, steps or points; `faint` is how the chapter's setting stands behind. */
export function curve(series, at, frame, faint) {
  const all = pointsOf(series, at);
  const ink = color(series.role);
  if (series.kind === "points") return { markup: dots(series, all, ink), all, own: all.filter(drawn) };
  const steps = series.kind === "step";
  const shape = steps ? curveStepAfter : curveLinear;
  const some = telling(all, frame.width);
  let dash = "; stroke-linecap: round; stroke-linejoin: round";
  const width = series.role === "limit" ? 1.4 : LINE;
  if (series.role === "theory") dash = `; stroke-dasharray: ${n(4.5 * width)},${n(2.2 * width)}`;
  else if (series.repeated) dash = `; stroke-dasharray: ${n(1.2 * width)},${n(1.6 * width)}`;
  let markup = "";
  if (series.low && !faint) {
    const band = area().digits(2).curve(shape).defined((p) => drawn(p) && !Number.isNaN(p.top))
      .x((p) => p.px).y0((p) => (Number.isNaN(p.bottom) ? frame.bottom : p.bottom)).y1((p) => p.top);
    markup += path(band(some), `style="fill: ${ink}; fill-opacity: 0.16"`);
  }
  const drawLine = line().digits(2).curve(shape).defined(drawn).x((p) => p.px).y((p) => p.py);
  markup += path(drawLine(some), stroke(ink, width, dash));
  const lonely = some.filter((p, i) => drawn(p) && !(some[i - 1] && drawn(some[i - 1])) && !(some[i + 1] && drawn(some[i + 1])));
  // a single value between gaps has no length: it becomes a small point
  markup += path(lonely.map((p) => `M${n(p.px)},${n(p.py)}h0`).join(""), stroke(ink, 3.6, "; stroke-linecap: round"));
  return { markup, all, own: steps ? corners(some) : some };
}

function corners(points) {
  return points.flatMap((p, i) => (i && drawn(points[i - 1]) ? [{ ...p, py: points[i - 1].py }, p] : [p]));
}

function dots(series, all, ink) {
  const seen = new Set();
  const places = all.filter(drawn).filter((p) => { // thousands of points: one for each spot
    const spot = Math.round(p.px * 2) * 100_003 + Math.round(p.py * 2);
    return !seen.has(spot) && seen.add(spot);
  });
  const bars = places.filter((p) => !Number.isNaN(p.top))
    .map((p) => `M${n(p.px)},${n(Number.isNaN(p.bottom) ? p.py : p.bottom)}V${n(p.top)}`).join("");
  let markup = path(bars, stroke(ink, 1.3));
  if (series.repeated) {
    const ring = (p) => `M${n(p.px - 2.5)},${n(p.py)}a2.5,2.5 0 1,0 5,0a2.5,2.5 0 1,0 -5,0`;
    markup += path(places.map(ring).join(""), stroke(ink, 1.3));
  } else {
    markup += path(places.map((p) => `M${n(p.px)},${n(p.py)}h0`).join(""), stroke(ink, 2 * MARK, "; stroke-linecap: round"));
  }
  return markup;
}

/** All bars, side by side where series share a category, stacked ones on each other. */
export function bars(data, at, frame) {
  const beside = data.series.filter((s) => s.kind === "bars");
  const categories = beside.flatMap((s) => [...s.x]);
  const abreast = new Set(categories).size < categories.length ? beside.length : 1;
  const slot = Math.abs(at.x(1) - at.x(0)) * BAR_WIDTH;
  const zero = at.y(data.y.log ? NaN : 0);
  const floor = Number.isNaN(zero) ? frame.bottom : Math.min(Math.max(zero, frame.top), frame.bottom);
  const found = new Map();
  for (const s of data.series) {
    if (s.kind !== "bars" && s.kind !== "stack") continue;
    const place = beside.indexOf(s);
    const wide = slot / (place < 0 ? 1 : abreast);
    const shift = place < 0 ? 0 : ((place % abreast) - (abreast - 1) / 2) * wide;
    const stack = data.stack.get(s.index);
    const all = pointsOf(s, at, stack).map((p) => {
      const base = stack ? at.y(stack[p.i][0]) : floor;
      return { ...p, px: p.px + shift, base: Number.isNaN(base) ? frame.bottom : base, wide: stack ? wide : wide * 0.92 };
    });
    const ink = color(s.role);
    const box = (p) => `M${n(p.px - p.wide / 2)},${n(p.base)}h${n(p.wide)}V${n(p.py)}h${n(-p.wide)}z`;
    // the same role twice in one stack: the second is paler; bars beside each other stand apart anyway
    const paler = s.repeated ? `; fill-opacity: ${stack ? PALER : 0.7}` : "";
    const whiskers = all.filter((p) => drawn(p) && !Number.isNaN(p.top))
      .map((p) => `M${n(p.px)},${n(Number.isNaN(p.bottom) ? p.py : p.bottom)}V${n(p.top)}`).join("");
    const markup = path(all.filter(drawn).map(box).join(""), `style="fill: ${ink}${paler}"`)
      + path(stack ? "" : whiskers, stroke("currentColor", 1.2));
    found.set(s.index, { markup, all, own: all.filter(drawn) });
  }
  return found;
}

/** The chapter's setting behind the reader's: faint curves, and a line across each bar. */
export function behind(reference, at, frame) {
  let markup = "";
  const marks = [];
  const shown = bars(reference, at, frame);
  for (const s of reference.series) {
    if (!shown.has(s.index)) markup += curve(s, at, frame, true).markup;
    else for (const p of shown.get(s.index).own) marks.push(`M${n(p.px - p.wide / 2 - 2)},${n(p.py)}h${n(p.wide + 4)}`);
  }
  return {
    under: markup && `<g class="plot-reference" style="opacity: 0.32">${markup}</g>`,
    over: path(marks.join(""), `class="plot-reference" ${stroke("currentColor", 1.2, "; stroke-dasharray: 3,2; opacity: 0.6")}`),
  };
}
