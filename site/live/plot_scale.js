// Scales, limits and ticks of a live figure; pure functions, imports nothing.
//
// The rules are those of simulations/figures/axes.py and drawing.py, and the ticks those that
// matplotlib chooses there: a live figure that takes the place of a built one must not jump.

export const THIN = "\u202f";
const MINUS = "\u2212";
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const STEPS = [0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5, 10, 20];
const BINS = 5;
const LOG_BINS = 8; // where a log axis is so short that its ticks are linear
const MIN_TICKS = 3;
// Data that leave more than this share of the axis empty get a shorter one.
const USED = 0.55;

/** A number as the axes print it: plain, with thin separators; powers of ten where it is far out. */
export function tick(value) {
  const size = Math.abs(value);
  if (size >= 1e9 || (size > 0 && size < 1e-6)) return power(value);
  const [whole, rest] = String(Number(value.toPrecision(10))).split(".");
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, THIN);
  return (rest ? `${spaced}.${rest}` : spaced).replace("-", MINUS);
}

function power(value) {
  const [digits, exponent] = value.toExponential(2).split("e");
  const raised = [...String(Math.abs(Number(exponent)))].map((d) => SUPERSCRIPTS[d]).join("");
  const ten = `10${Number(exponent) < 0 ? "⁻" : ""}${raised}`;
  const factor = String(Number(digits)).replace("-", MINUS);
  return factor === "1" ? ten : `${factor}${THIN}×${THIN}${ten}`;
}

/** A number with so many decimals, rounded as Python rounds: ties, where there truly are, to even. */
export function fixed(value, decimals) {
  const scaled = value * 10 ** decimals;
  const isTie = Number.isInteger(value * 2 ** (decimals + 1)) && Math.abs(scaled % 1) === 0.5;
  const whole = 2 * Math.round(scaled / 2); // the even neighbor of a tie
  return (isTie ? whole / 10 ** decimals : value).toFixed(decimals).replace("-", MINUS);
}

/** A value as the readout prints it: four significant digits, or all digits before the point. */
export function exact(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return tick(size >= 1000 ? Math.round(value) : Number(value.toPrecision(4)));
}

/** The words of an axis: its label, its unit, and that it is logarithmic. */
export function axisLabel(axis) {
  const notes = [axis.unit, axis.log ? "log scale" : ""].filter(Boolean);
  return notes.length ? `${axis.label} (${notes.join(", ")})` : axis.label;
}

function tickStep(low, high, bins = BINS) {
  const scale = 10 ** Math.floor(Math.log10((high - low) / bins));
  const steps = STEPS.map((step) => step * scale);
  let i = steps.findIndex((step) => step >= (high - low) / bins);
  if (i < 0) i = steps.length - 1;
  const shown = (step) => Math.floor(high / step + 1e-9) - Math.ceil(low / step - 1e-9) + 1;
  while (i > 0 && shown(steps[i]) < MIN_TICKS) i -= 1;
  return steps[i];
}

function linearTicks(low, high, bins = BINS) {
  const step = tickStep(low, high, bins);
  const found = [];
  const last = Math.floor(high / step + 1e-9);
  for (let i = Math.ceil(low / step - 1e-9); i <= last && found.length < 20; i += 1) {
    found.push(Number((i * step).toPrecision(12)));
  }
  return found;
}

function logTicks(low, high) {
  const decades = Math.log10(high / low);
  const subs = decades < 1.6 ? [1, 2, 5] : decades < 2.5 ? [1, 3] : [1];
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const available = Math.floor(Math.log10(high) + 1e-9) - first + 1;
  const [stride, offset] = everyFew(first, available, decades > 6 ? 6 : 9);
  const found = [];
  for (let e = first - 1; e <= first + available; e += 1) {
    if (stride > 1 && (e - first - offset) % stride) continue;
    for (const sub of subs) found.push(Number((sub * 10 ** e).toPrecision(12)));
  }
  const shown = found.filter((v) => v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9));
  return shown.length > 1 ? shown : linearTicks(low, high, LOG_BINS);
}

// matplotlib's LogLocator: the largest stride that still gives as many decades as there is room for.
function everyFew(first, available, most) {
  const rough = Math.floor(available / (most + 1)) + 1;
  const count = Math.min(Math.ceil(available / rough), most);
  if (count < 2) return [1, 0];
  let stride = Math.floor((available - 1) / (count - 1));
  if (stride < available / count) stride = Math.floor(available / count);
  const least = Math.max(available - stride * count, 0);
  const end = Math.min(available - stride * (count - 1), stride);
  const round = ((-first % stride) + stride) % stride;
  return [stride, round >= least && round < end ? round : least];
}

/** Where to put numbers on an axis between two limits. */
export function ticksOf(axis, [low, high]) {
  return axis.log ? logTicks(low, high) : linearTicks(low, high);
}

/** What turns a value into a coordinate, NaN where the axis has no place for it; `invert` goes back. */
export function scaleOf(axis, [low, high], [from, to]) {
  const start = axis.log ? Math.log10(low) : low;
  const factor = (to - from) / ((axis.log ? Math.log10(high) : high) - start);
  const scale = axis.log
    ? (v) => (v > 0 ? from + (Math.log10(v) - start) * factor : NaN)
    : (v) => from + (v - start) * factor;
  scale.invert = (at) => (axis.log ? 10 ** ((at - from) / factor + start) : (at - from) / factor + start);
  return scale;
}

/** The limits that the built figure takes for an axis whose values span `extent`. */
export function natural(which, axis, extent, hasBars) {
  let [low, high] = extent ?? (axis.log ? [1, 10] : [0, 1]);
  if (axis.log) {
    const factor = (high / low) ** (which === "x" ? 0.025 : 0.05);
    return factor > 1 ? [low / factor, high * factor] : [low / 1.1, high * 1.1];
  }
  if (which === "x") {
    const pad = 0.025 * (high - low) || 0.5 * tiny(high);
    return [low === 0 && high > 0 ? 0 : low - pad, high + pad];
  }
  if (low >= 0) return [0, high * (hasBars ? 1.14 : 1.06) || 1];
  return [low * 1.08, Math.max(high, 0) * (hasBars ? 1.14 : 1.06)];
}

// Half a unit beside a value is nothing once the value is so large that it rounds away.
function tiny(value) {
  return Math.max(1, Math.abs(value) * 1e-6);
}

/**
 * Limits that stand still while the data move within them.
 *
 * Kept as long as the data fit and fill a fair share; else they go to round values, so that a
 * drag moves the axis a few times and not with every frame. Results under way only widen it.
 */
export function steady(axis, before, wanted, extent, partial) {
  if (!before || !extent) return before ?? wanted;
  const to = axis.log ? Math.log10 : (v) => v;
  const span = (limits) => to(limits[1]) - to(limits[0]);
  const slack = 1e-9 * span(before);
  const fits = to(extent[0]) >= to(before[0]) - slack && to(extent[1]) <= to(before[1]) + slack;
  if (fits && (partial || span(wanted) >= USED * span(before))) return before;
  const both = partial
    ? [Math.min(before[0], wanted[0]), Math.max(before[1], wanted[1])]
    : wanted;
  return axis.log ? [down(both[0]), up(both[1])] : rounded(both);
}

function rounded([low, high]) {
  const step = tickStep(low, high);
  return [
    Number((Math.floor(low / step + 1e-9) * step).toPrecision(12)),
    Number((Math.ceil(high / step - 1e-9) * step).toPrecision(12)),
  ];
}

// The next of 1, 2, 5, 10, ... below and above.
function down(value) {
  const decade = 10 ** Math.floor(Math.log10(value));
  const factor = [5, 2].find((f) => f * decade <= value * (1 + 1e-9)) ?? 1;
  return factor * decade;
}

function up(value) {
  const decade = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5].find((f) => f * decade >= value * (1 - 1e-9)) ?? 10;
  return factor * decade;
}
