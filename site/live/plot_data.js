// A plain result (simulations.experiment.Result.plain) as a live figure draws and exports it.
//
// Imports plot_scale.js. Whatever is no number, or has no place on a log axis, becomes NaN: a gap.

import { axisLabel, exact, THIN, tick } from "./plot_scale.js";

const BARS = new Set(["bars", "stack"]);

const number = (value) => (typeof value === "number" && Number.isFinite(value) ? value : NaN);

function column(values, length) {
  return values ? Float64Array.from({ length }, (_, i) => number(values[i])) : null;
}

/** The result with typed columns, categories in order of appearance, and each series' look. */
export function read(plain) {
  const x = { label: "", unit: "", log: false, ...plain.x };
  const y = { label: "", unit: "", log: false, ...plain.y };
  const given = plain.series ?? [];
  const hasBars = given.some((s) => s.kind === "bars" && s.x.length); // their values are written above
  const names = new Map();
  for (const s of given) {
    for (const v of s.x) {
      if ((typeof v === "string" || (BARS.has(s.kind) && v !== null)) && !names.has(v)) names.set(v, names.size);
    }
  }
  const looks = new Map();
  const series = given.map((s, index) => {
    const kind = s.kind ?? "line";
    const role = s.role ?? "plain";
    const look = `${role} ${kind}`;
    const repeated = looks.get(look) ?? 0;
    looks.set(look, repeated + 1);
    const at = s.label_at === null || s.label_at === undefined ? null : names.get(s.label_at) ?? number(s.label_at);
    return {
      index, kind, role, repeated, name: s.name ?? "", at: Number.isNaN(at) ? null : at, raw: s.x,
      x: Float64Array.from(s.x, (v) => (names.has(v) ? names.get(v) : number(v))),
      y: column(s.y, s.x.length),
      low: s.low && s.high ? column(s.low, s.x.length) : null,
      high: s.low && s.high ? column(s.high, s.x.length) : null,
    };
  });
  const categories = names.size ? [...names.keys()].map((v) => (typeof v === "string" ? v : tick(v))) : null;
  if (categories) x.log = false;
  const data = { x, y, series, categories, hasBars, grid: plain.grid ?? null };
  data.stack = stacked(series.filter((s) => s.kind === "stack"));
  return data;
}

// From where to where each stacked bar goes: [series][i] -> [base, top]. Below zero they hang down.
function stacked(series) {
  const up = new Map();
  const down = new Map();
  return new Map(series.map((s) => [s.index, Array.from(s.y, (value, i) => {
    const side = value < 0 ? down : up;
    const base = side.get(s.x[i]) ?? 0;
    const top = base + (Number.isNaN(value) ? 0 : value);
    side.set(s.x[i], top);
    return [base, top];
  })]));
}

/** The smallest and the largest value that each axis has to show; null where there is none. */
export function extents(data) {
  const spans = { x: [Infinity, -Infinity], y: [Infinity, -Infinity] };
  const widen = (which, v) => {
    if (!Number.isFinite(v) || (data[which].log && v <= 0)) return;
    if (v < spans[which][0]) spans[which][0] = v;
    if (v > spans[which][1]) spans[which][1] = v;
  };
  for (const s of data.series) {
    const stack = data.stack.get(s.index);
    for (let i = 0; i < s.x.length; i += 1) {
      if (Number.isNaN(s.x[i]) || Number.isNaN(s.y[i])) continue;
      widen("x", s.x[i]);
      widen("y", stack ? stack[i][1] : s.y[i]);
      if (s.low) widen("y", s.low[i]);
      if (s.high) widen("y", s.high[i]);
    }
  }
  return { x: spans.x[0] <= spans.x[1] ? spans.x : null, y: spans.y[0] <= spans.y[1] ? spans.y : null };
}

const united = (a, b) => (a && b ? [Math.min(a[0], b[0]), Math.max(a[1], b[1])] : a ?? b);

/** What both results together need, so that the reference stays in sight. */
export function together(data, reference) {
  const own = extents(data);
  if (!reference) return own;
  const other = extents(reference);
  return { x: united(own.x, other.x), y: united(own.y, other.y) };
}

const quoted = (value) => {
  const text = value === null || value === undefined || Number.isNaN(value) ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** All values of the result, one a line, with every digit; what is missing stays empty. */
export function csv(plain) {
  const name = (axis) => (axis.unit ? `${axis.label} (${axis.unit})` : axis.label);
  const lines = [];
  if (plain.grid) {
    const { rows, columns, values, unit } = plain.grid;
    lines.push([name(plain.y), name(plain.x), unit ? `value (${unit})` : "value"]);
    rows.forEach((row, i) => columns.forEach((at, j) => lines.push([row, at, values[i]?.[j]])));
  }
  if (plain.series?.length) {
    if (lines.length) lines.push([]);
    lines.push(["series", name(plain.x), name(plain.y), "low", "high"]);
    for (const s of plain.series) {
      s.x.forEach((x, i) => lines.push([s.name, x, s.y[i], s.low?.[i], s.high?.[i]]));
    }
  }
  return lines.map((cells) => `${cells.map(quoted).join(",")}\r\n`).join("");
}

// Longer units are said once, not with every value.
export const SHORT_UNIT = 4;

export const withUnit = (text, unit) => (unit ? `${text}${THIN}${unit}` : text);

/** What the figure shows, in words, for who does not see it. */
export function describe(data) {
  if (data.grid) return describeGrid(data);
  const parts = [`${axisLabel(data.y)} against ${axisLabel(data.x)}.`];
  for (const s of data.series) {
    const seen = [...s.x.keys()].filter((i) => !Number.isNaN(s.x[i]) && !Number.isNaN(s.y[i]));
    const name = s.name || "Unnamed series";
    const place = (i) => (data.categories ? data.categories[s.x[i]] : withUnit(exact(s.x[i]), data.x.unit));
    const said = (i) => withUnit(exact(s.y[i]), data.y.unit.length > SHORT_UNIT ? "" : data.y.unit);
    if (!seen.length) parts.push(`${name}: no values.`);
    else if (data.categories && seen.length <= 8) {
      parts.push(`${name}: ${seen.map((i) => `${place(i)} ${said(i)}`).join(", ")}.`);
    } else {
      const least = seen.reduce((a, b) => (s.y[b] < s.y[a] ? b : a));
      const most = seen.reduce((a, b) => (s.y[b] > s.y[a] ? b : a));
      const [first, last] = [seen[0], seen[seen.length - 1]];
      if (s.y[least] === s.y[most]) parts.push(`${name}: ${said(first)} throughout.`);
      else {
        parts.push(`${name}: ${said(first)} at ${place(first)}, ${said(last)} at ${place(last)}; `
          + `lowest ${said(least)} at ${place(least)}, highest ${said(most)} at ${place(most)}.`);
      }
    }
  }
  return parts.join(" ");
}

function describeGrid({ x, y, grid }) {
  const cells = grid.rows.flatMap((row, i) => grid.columns.map((at, j) => ({ row, at, value: number(grid.values[i]?.[j]) })));
  const seen = cells.filter((cell) => !Number.isNaN(cell.value)).sort((a, b) => a.value - b.value);
  if (!seen.length) return `${axisLabel(y)} by ${axisLabel(x)}: no values.`;
  const said = ({ row, at, value }) => `${withUnit(exact(value), grid.unit)} (${row}, ${at})`;
  return `${axisLabel(y)} by ${axisLabel(x)}. Lowest ${said(seen[0])}, highest ${said(seen[seen.length - 1])}.`;
}

const MOST_ROWS = 24;

/** Rows of a table that says the figure's values: every one of few, evenly chosen ones of many. */
export function tableRows(data) {
  if (data.grid) {
    const head = [`${data.y.label} \\ ${data.x.label}`, ...data.grid.columns.map(String)];
    return { head, rows: data.grid.rows.map((row, i) => [String(row), ...data.grid.values[i].map((v) => exact(number(v)))]) };
  }
  const rows = [];
  for (const s of data.series) {
    const stride = Math.max(1, Math.ceil(s.x.length / MOST_ROWS));
    for (let i = 0; i < s.x.length; i += stride) {
      const range = s.low && !Number.isNaN(s.low[i]) ? ` (${exact(s.low[i])} to ${exact(s.high[i])})` : "";
      rows.push([s.name, data.categories ? data.categories[s.x[i]] ?? "–" : exact(s.x[i]), exact(s.y[i]) + range]);
    }
  }
  return { head: ["series", axisLabel(data.x), axisLabel(data.y)], rows };
}
