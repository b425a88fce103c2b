// A heat map: rows against columns, one hue from pale to strong, each value in its cell or a key.
//
// Imports plot_marks.js, plot_scale.js, plot_words.js. Pure.

import { PALETTE } from "./plot_marks.js";
import { axisLabel, exact, tick } from "./plot_scale.js";
import { categoryDepth, LINE_HEIGHT, lineCount, n, strideOf, widthOf, wrap, write, writeCategory } from "./plot_words.js";

const HUE = `var(--blue, ${PALETTE.blue})`;
const [PALE, STRONG] = [0.05, 0.6];

const words = (value) => (typeof value === "number" ? tick(value) : String(value));

/** How strongly a cell is colored: on a log scale where values span two powers of ten or more. */
function shadeOf(values) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const isLog = low > 0 && high / low >= 100;
  const to = isLog ? Math.log : (v) => v;
  const span = to(high) - to(low);
  return { low, high, isLog, shade: (v) => (span > 0 ? PALE + ((to(v) - to(low)) / span) * (STRONG - PALE) : (PALE + STRONG) / 2) };
}

/** The heat map of `data.grid`, with the cells as hits. */
export function gridScene({ x, y, grid }, { width, height, measure }) {
  const { rows, columns, values, unit } = grid;
  const known = values.flat().filter((v) => Number.isFinite(v));
  const { low, high, isLog, shade } = shadeOf(known.length ? known : [0, 1]);
  const title = wrap(axisLabel(y), width - 4, measure);
  const rowNames = rows.map(words);
  const left = Math.min(width / 2, Math.max(0, ...rowNames.map((t) => measure(t))) + 7);
  const right = 4;
  const cellWidth = (width - left - right) / Math.max(1, columns.length);
  let names = columns.map((v) => (typeof v === "number" ? tick(v) : wrap(v, cellWidth - 4, measure)));
  const lines = Math.max(1, ...names.map((t) => lineCount(t)));
  const label = axisLabel(x);
  const said = values.map((row) => row.map((v) => (Number.isFinite(v) ? exact3(v) : "–")));
  const widest = Math.max(0, ...said.flat().map((t) => measure(t)));
  const bottom = height - 12.08 - (label ? 15 : 0) - categoryDepth(lines) - 5.42;
  const hasKey = (top) => widest > cellWidth - 4 || (bottom - top) / Math.max(1, rows.length) < 12;
  let top = title ? 20.9 + (lineCount(title) - 1) * LINE_HEIGHT : 6;
  const keyed = hasKey(top);
  const key = keyed ? keyOf({ low, high, isLog, unit, width, measure }) : { markup: "", width: 0 };
  const isCrowded = keyed && key.width + measure(title) + 16 > width;
  if (isCrowded) top += LINE_HEIGHT;
  const cellHeight = (bottom - top) / Math.max(1, rows.length);
  const [gapX, gapY] = [Math.min(1.5, cellWidth * 0.06), Math.min(1.5, cellHeight * 0.06)];
  const cells = [];
  let markup = "";
  values.forEach((row, i) => row.forEach((value, j) => {
    const [cx, cy] = [left + (j + 0.5) * cellWidth, top + (i + 0.5) * cellHeight];
    cells.push({ i, j, px: cx, py: cy, value });
    if (!Number.isFinite(value)) return;
    markup += `<rect x="${n(cx - cellWidth / 2 + gapX / 2)}" y="${n(cy - cellHeight / 2 + gapY / 2)}" width="${n(cellWidth - gapX)}" `
      + `height="${n(cellHeight - gapY)}" style="fill: ${HUE}; fill-opacity: ${n(shade(value))}"/>`;
  }));
  if (!keyed) for (const { i, j, px, py } of cells) markup += write(said[i][j], px, py + 4, "middle");
  const places = names.map((_, j) => left + (j + 0.5) * cellWidth);
  const stride = strideOf(places, names.map((t) => widthOf(t, measure)));
  const rowStride = Math.max(1, Math.ceil(12 / cellHeight));
  markup += names.map((name, j) => (j % stride ? "" : writeCategory(name, places[j], bottom + 12.08))).join("")
    + rowNames.map((name, i) => (i % rowStride ? "" : write(name, left - 4, top + (i + 0.5) * cellHeight + 4, "end"))).join("")
    + (label ? write(label, (left + width - right) / 2, bottom + 27.08 + categoryDepth(lines), "middle") : "")
    + write(title, 1.08, 10.58, "start")
    + (key.markup && `<g transform="translate(${n(width - right - key.width)},${isCrowded ? LINE_HEIGHT : 0})">${key.markup}</g>`);
  const frame = { left, right: width - right, top, bottom, width: width - right - left };
  return { markup, frame, at: null, limits: null, cells: { cells, cellWidth, cellHeight }, hits: [] };
}

// Three significant digits are what a cell has room for.
function exact3(value) {
  return exact(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}

function keyOf({ low, high, isLog, unit, measure }) {
  const [from, to] = [exact3(low), `${exact3(high)}${unit ? `\u202f${unit}` : ""}${isLog ? " (log)" : ""}`];
  const [a, b] = [measure(from), measure(to)];
  const steps = 9;
  let markup = write(from, 0, 10.58, "start");
  for (let k = 0; k < steps; k += 1) {
    const opacity = PALE + (k / (steps - 1)) * (STRONG - PALE);
    markup += `<rect x="${n(a + 4 + k * 7)}" y="2" width="7.1" height="9" style="fill: ${HUE}; fill-opacity: ${n(opacity)}"/>`;
  }
  markup += write(to, a + 8 + steps * 7, 10.58, "start");
  return { markup, width: a + 8 + steps * 7 + b };
}
