// A whole figure as SVG markup: layout, axes, marks and names, as simulations/figures lays them out.
//
// Imports plot_data.js, plot_grid.js, plot_labels.js, plot_marks.js, plot_scale.js, plot_words.js.
// Pure but for `memory`, which carries from frame to frame what should not jump: limits, margins,
// places of names.

import { extents, together } from "./plot_data.js";
import { gridScene } from "./plot_grid.js";
import { dense, place } from "./plot_labels.js";
import { bars, behind, color, curve, PALER } from "./plot_marks.js";
import { axisLabel, fixed, natural, scaleOf, steady, THIN, tick, ticksOf } from "./plot_scale.js";
import { categoryDepth, LINE_HEIGHT, lineCount, n, strideOf, TEXT, widthOf, wrap, write, writeCategory } from "./plot_words.js";

const NAME_HEIGHT = 10.88; // a name's letters; its line box is taller
const MOST_VALUES = 8;
const MOST_STAGGERED = 10;
const SWATCH = 12;

/** The ink of one figure: {markup, frame, at, hits, limits}. */
export function scene(data, { reference, width, height, measure, memory, partial }) {
  if (data.grid) return gridScene(data, { width, height, measure });
  const limits = limitsOf(data, reference, memory, partial);
  const layout = layoutOf(data, limits, { width, height, measure, memory });
  const { frame, at } = layout;
  const shown = bars(data, at, frame);
  for (const s of data.series) if (!shown.has(s.index)) shown.set(s.index, curve(s, at, frame, false));
  const back = reference ? behind(reference, at, frame) : { under: "", over: "" };
  const marks = data.series.map((s) => shown.get(s.index).markup).join("");
  const values = barValues(data, shown, measure);
  const names = data.stack.size ? stackNames(data, shown, layout.names, frame)
    : curveNames(data, shown, at, frame, { width, height, measure, memory, taken: values.taken });
  const markup = layout.below + back.under + marks + back.over + layout.axis + values.markup + names;
  return { markup, frame, at, limits, hits: hitsOf(data, shown) };
}

/** What each axis shows; `memory` keeps it still. */
export function limitsOf(data, reference, memory, partial) {
  const usable = reference && Boolean(reference.categories) === Boolean(data.categories) ? reference : null;
  const need = together(data, usable);
  const own = extents(data);
  const found = {};
  for (const which of ["x", "y"]) {
    const axis = data[which];
    const key = `${which} ${axis.label} ${axis.log}`;
    if (memory.keys[which] !== key) { memory.keys[which] = key; memory.home[which] = null; memory.limits[which] = null; }
    if (which === "x" && data.categories) { found.x = [-0.5, data.categories.length - 0.5]; continue; }
    const wanted = natural(which, axis, need[which], data.hasBars);
    const alone = natural(which, axis, own[which], data.hasBars);
    // the first whole result sets the home of the axis; back at the same values it comes home
    const isHome = memory.home[which] && alone.every((v, i) => v === memory.home[which][i]);
    if (isHome && wanted.every((v, i) => v === alone[i])) found[which] = alone;
    else found[which] = steady(axis, memory.limits[which], wanted, need[which], partial);
    if (need[which]) {
      if (!partial) memory.home[which] ??= alone;
      memory.limits[which] = found[which];
    }
  }
  return found;
}

function layoutOf(data, limits, { width, height, measure, memory }) {
  const yTicks = ticksOf(data.y, limits.y);
  const yNames = yTicks.map(tick);
  const title = wrap(axisLabel(data.y), width - 4, measure);
  const top = TEXT * (1.9 + 1.2 * (lineCount(title) - 1));
  const left = kept(memory, "left", Math.max(0, ...yNames.map((t) => measure(t))) + 5);
  const names = data.stack.size ? stackLabels(data, width, measure) : [];
  const beside = names.length ? Math.max(...names.map((name) => name.width)) + 8 : 4;
  const xTicks = data.categories ? data.categories.map((_, i) => i) : ticksOf(data.x, limits.x);
  let xNames = data.categories ?? xTicks.map(tick);
  let right = beside;
  if (data.categories) {
    const slot = (0.86 * width) / xNames.length - 6;
    const places = xTicks.map(scaleOf(data.x, limits.x, [left, width - right]));
    const halved = xNames.map((name) => wrap(name, slot, measure, Infinity));
    const isFree = strideOf(places, halved.map((name) => widthOf(name, measure))) === 1;
    xNames = isFree ? halved : xNames.map((name) => wrap(name, slot, measure));
  } else if (xTicks.length) {
    const last = xTicks.length - 1;
    const end = scaleOf(data.x, limits.x, [0.86 * width, 0])(xTicks[last]);
    right = Math.max(4, kept(memory, "right", measure(xNames[last]) / 2 - end));
  }
  const places = xTicks.map(scaleOf(data.x, limits.x, [left, width - right]));
  const stride = strideOf(places, xNames.map((name) => widthOf(name, measure)));
  // names of categories are all needed: where they touch, every other one stands lower
  const isStaggered = Boolean(data.categories) && stride > 1 && xNames.length <= MOST_STAGGERED;
  const lines = Math.max(1, ...xNames.map(lineCount)) * (isStaggered ? 2 : 1);
  const label = wrap(axisLabel(data.x), width - 4, measure);
  const under = (data.categories ? 3.5 : 7) + 8.58;
  const labelAt = (label ? 15 : 4) + categoryDepth(lines);
  const bottom = height - under - labelAt - 5.42 - (lineCount(label) - 1) * LINE_HEIGHT;
  const frame = { left, right: width - right, top, bottom, width: width - right - left };
  const at = { x: scaleOf(data.x, limits.x, [left, width - right]), y: scaleOf(data.y, limits.y, [bottom, top]) };

  const rules = yTicks.map((v) => `M${n(left)},${n(at.y(v))}H${n(width - right)}`).join("");
  const below = `<path d="${rules}" style="fill: none; stroke: currentColor; stroke-opacity: 0.13; stroke-width: 0.7"/>`;
  const ticks = data.categories ? "" : places.map((x) => `M${n(x)},${n(bottom)}v3.5`).join("");
  // an axis below zero has its line at zero, where the bars stand
  const axis = `<path d="M${n(left)},${n(bottom)}H${n(width - right)}${ticks}" style="fill: none; stroke: currentColor; stroke-width: 0.8"/>`
    + (!data.y.log && limits.y[0] < 0 && (data.hasBars || data.stack.size)
      ? `<path d="M${n(left)},${n(at.y(0))}H${n(width - right)}" style="fill: none; stroke: currentColor; stroke-width: 0.8"/>` : "")
    + places.map((x, i) => (i % stride && !isStaggered ? ""
      : writeCategory(xNames[i], x, bottom + under + (isStaggered && i % 2 ? LINE_HEIGHT * (lines / 2) : 0)))).join("")
    + yTicks.map((v, i) => write(yNames[i], left - 3, at.y(v) + 4.29, "end")).join("")
    + write(label, left + frame.width / 2, bottom + under + labelAt, "middle")
    + write(title, 1.08, 10.58, "start");
  return { frame, at, below, axis, names };
}

// A margin that grows when it must and shrinks only when much would be gained.
function kept(memory, side, wanted) {
  const before = memory[side] ?? wanted;
  memory[side] = wanted > before || before - wanted > 14 ? wanted : before;
  return memory[side];
}

function barValues(data, shown, measure) {
  const series = data.series.filter((s) => s.kind === "bars");
  const all = series.flatMap((s) => shown.get(s.index).own.map((p) => ({ ...p, value: s.y[p.i] })));
  if (!all.length || all.length > MOST_VALUES) return { markup: "", taken: [] };
  const most = Math.max(...all.map((p) => Math.abs(p.value))) || 1;
  const decimals = all.every((p) => Number.isInteger(p.value)) ? 0 : Math.max(0, 2 - Math.floor(Math.log10(most)));
  const said = all.map(({ value }) => {
    const text = decimals > 9 ? tick(value) : decimals ? fixed(value, decimals) : tick(Math.round(value));
    const isNothing = value > 0 && Number(text.replaceAll(THIN, "")) === 0;
    return isNothing ? `<${(10 ** -decimals).toFixed(decimals)}` : text;
  });
  if (all.some((p, i) => measure(said[i]) > p.wide * 1.3)) return { markup: "", taken: [] };
  const taken = [];
  const markup = all.map((p, i) => {
    const edge = Number.isNaN(p.top) || p.value < 0 ? p.py : p.top;
    const y = p.value < 0 ? edge + 11.5 : edge - 4.92;
    for (let dx = -0.5; dx <= 0.5; dx += 0.125) for (const dy of [-8, -4, 1]) taken.push([p.px + dx * measure(said[i]), y + dy]);
    return write(said[i], p.px, y, "middle");
  }).join("");
  return { markup, taken };
}

/** The names of curves and of groups of bars, each where it is free. */
function curveNames(data, shown, at, frame, { width, height, measure, memory, taken }) {
  const within = ([x, y]) => x >= frame.left - 1 && x <= frame.right + 1 && y >= frame.top - 1 && y <= frame.bottom + 1;
  const obstacles = taken.length ? [taken] : [];
  const labels = [];
  for (const s of data.series) {
    const { own } = shown.get(s.index);
    let cloud;
    if (s.kind === "bars") {
      cloud = own.flatMap((p) => column(p));
    } else if (s.kind === "points") {
      cloud = own.flatMap((p) => [[0, 0], [3, 0], [-3, 0], [0, 3], [0, -3]].map(([dx, dy]) => [p.px + dx, p.py + dy])
        .concat(Number.isNaN(p.top) ? [] : dense([{ px: p.px, py: Number.isNaN(p.bottom) ? p.py : p.bottom }, { px: p.px, py: p.top }])));
    } else cloud = dense(own);
    cloud = cloud.filter(within);
    obstacles.push(cloud);
    if (!s.name || !cloud.length || (s.kind === "bars" && data.series.length === 1)) continue;
    const tops = (p) => Array.from({ length: 9 }, (_, k) => [p.px + (k / 4 - 1) * 0.49 * p.wide, Number.isNaN(p.top) ? p.py : p.top]);
    const lines = s.name.split("\n");
    const key = `${s.index} ${s.name}`;
    labels.push({
      series: s, key, own: s.kind === "bars" ? own.flatMap(tops) : cloud, at: s.at === null ? null : at.x(s.at),
      width: widthOf(s.name, (t) => measure(t, true)), height: NAME_HEIGHT + (lines.length - 1) * LINE_HEIGHT,
      before: memory.names.get(key) ?? null,
    });
  }
  const boxes = place(labels, obstacles, frame, { width, height });
  memory.names = new Map(labels.map((label, i) => [label.key, boxes[i].slice(0, 2)]));
  return labels.map((label, i) => leader(label, boxes[i]) + nameAt(label.series, label.series.name, boxes[i][0], boxes[i][1])).join("");
}

function column(p) {
  const found = [];
  const [from, to] = [Math.min(p.base, p.py), Math.max(p.base, p.py)];
  for (let y = from; y <= to + 1; y += 4) for (let dx = -0.5; dx <= 0.5; dx += 0.125) found.push([p.px + dx * p.wide, y]);
  return found;
}

function nameAt(series, text, x, top) {
  const style = `; font-weight: 700; fill: ${color(series.role)}`;
  return `<g class="label">${write(text, x, top + NAME_HEIGHT - 1.53, "start", style)}</g>`;
}

// A thin line to a name that stands far from its curve.
function leader({ own, series }, [x0, y0, x1, y1]) {
  let best = null;
  let least = Infinity;
  for (const [x, y] of own) {
    const from = [Math.min(Math.max(x, x0), x1), Math.min(Math.max(y, y0), y1)];
    const gap = Math.hypot(x - from[0], y - from[1]);
    if (gap < least) { least = gap; best = [...from, x, y]; }
  }
  if (least < 16 || !best) return "";
  const [x, y, toX, toY] = best.map(n);
  return `<path d="M${x},${y}L${toX},${toY}" style="fill: none; stroke: ${color(series.role)}; stroke-width: 0.8; stroke-opacity: 0.7"/>`;
}

function stackLabels(data, width, measure) {
  return data.series.filter((s) => s.kind === "stack" && s.name).map((series) => {
    const text = measure(series.name, true) > width * 0.27 ? wrap(series.name, width * 0.24, (t) => measure(t, true)) : series.name;
    const keyed = data.series.some((other) => other.kind === "stack" && other.repeated) ? SWATCH : 0;
    return { series, text, lines: lineCount(text), width: keyed + widthOf(text, (t) => measure(t, true)) };
  });
}

/** The names of stacked bars: right of the last bar, at the height of their part of it. */
function stackNames(data, shown, names, frame) {
  const placed = names.map((name) => {
    const { own } = shown.get(name.series.index);
    const last = own[own.length - 1] ?? { py: frame.bottom, base: frame.bottom, px: frame.right, wide: 0 };
    return { ...name, last, height: NAME_HEIGHT + (name.lines - 1) * LINE_HEIGHT + 2, wish: (last.py + last.base) / 2 };
  }).sort((a, b) => b.wish - a.wish);
  let floor = frame.bottom + 2;
  for (const name of placed) { // from below: none over the one before
    name.top = Math.min(name.wish - name.height / 2, floor - name.height);
    floor = name.top;
  }
  let ceiling = frame.top - 6;
  for (const name of [...placed].reverse()) { // and none out of the figure
    name.top = Math.max(name.top, ceiling);
    ceiling = name.top + name.height;
  }
  // two parts of one color: a swatch says which is the paler one
  const isKeyed = names.some((name) => name.series.repeated);
  return placed.map(({ series, text, last, top, height, wish }) => {
    const ink = color(series.role);
    const [x, middle] = [frame.right + 4, top + height / 2];
    const line = Math.abs(middle - wish) < 4 ? "" : `<path d="M${n(last.px + last.wide / 2 + 1)},${n(wish)}L${n(x - 2)},${n(middle)}" `
      + `style="fill: none; stroke: ${ink}; stroke-width: 0.8; stroke-opacity: 0.7"/>`;
    const swatch = isKeyed ? `<rect x="${n(x)}" y="${n(middle - 4.5)}" width="8" height="8" `
      + `style="fill: ${ink}; fill-opacity: ${series.repeated ? PALER : 1}"/>` : "";
    return line + swatch + nameAt(series, text, isKeyed ? x + SWATCH : x, top);
  }).join("");
}

// What the pointer and the keys find: the points of each series, where they are drawn.
function hitsOf(data, shown) {
  return data.series.map((s) => ({
    series: s,
    color: color(s.role),
    points: shown.get(s.index).all.filter((p) => !Number.isNaN(p.px) && !Number.isNaN(p.py)),
  }));
}
