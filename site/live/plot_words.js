// Words in a figure: lines of text, line breaks, and which labels fit beside each other. Pure; imports nothing.

export const TEXT = 11;
export const LINE_HEIGHT = 13.2;
// Names of categories in several lines stand a little wider and lower, as in the built figures.
const TICK_STEP = 14.3;
const TICK_DROP = 1.65;

export const n = (value) => String(Math.round(value * 100) / 100);

export const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** One or several lines of text, the first with its baseline at y. */
export function write(text, x, y, anchor, style = "", step = LINE_HEIGHT) {
  if (!text) return "";
  return String(text).split("\n").map((part, i) => `<text x="${n(x)}" y="${n(y + i * step)}" `
    + `style="font-size: ${TEXT}px; text-anchor: ${anchor}${style}">${escaped(part)}</text>`).join("");
}

/**
 * Words broken at spaces into lines no wider than `room`: in the middle, as the built figures do,
 * where the halves are no wider than `most`; else wherever a line is full.
 */
export function wrap(text, room, measure, most = room) {
  if (measure(text) <= room || !text.includes(" ")) return text;
  const spaces = [...text.matchAll(/ /g)].map((m) => m.index);
  const middle = spaces.reduce((a, b) => (Math.abs(b - text.length / 2) < Math.abs(a - text.length / 2) ? b : a));
  const halves = [text.slice(0, middle), text.slice(middle + 1)];
  if (halves.every((half) => measure(half) <= most)) return halves.join("\n");
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines[lines.length - 1]} ${word}`.trim();
    if (measure(longer) <= room || !lines[lines.length - 1]) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join("\n");
}

/** The width of the widest line of a text. */
export const widthOf = (text, measure) => Math.max(...text.split("\n").map((line) => measure(line)));

export const lineCount = (text) => text.split("\n").length;

/** Every so many labels, so that none touches the next. */
export function strideOf(places, widths) {
  for (let stride = 1; stride < places.length; stride += 1) {
    let isFree = true;
    for (let i = stride; i < places.length && isFree; i += stride) {
      isFree = Math.abs(places[i] - places[i - stride]) >= (widths[i] + widths[i - stride]) / 2 + 4;
    }
    if (isFree) return stride;
  }
  return places.length;
}

/** The name of a category below the axis, where a name of one line has its baseline at y. */
export function writeCategory(text, x, y) {
  return lineCount(text) > 1 ? write(text, x, y + TICK_DROP, "middle", "", TICK_STEP) : write(text, x, y, "middle");
}

/** How much deeper than one line such names reach. */
export const categoryDepth = (lines) => (lines > 1 ? 2 * TICK_DROP + (lines - 1) * TICK_STEP : 0);
