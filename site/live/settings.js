// Settings of a figure in a link: ?cold-share.rate_per_h=120#live-cold-share. What a link asks for
// is looked up among the values that the figure's controls have; nothing else is let in.

const MOST_TOLD = 4;

/** The value of a control that is nearest to what a link says, or undefined. */
function read(control, text) {
  if (control.kind === "choice") {
    const at = control.values.map(String).indexOf(text);
    return at < 0 ? undefined : control.values[at];
  }
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  if (control.kind === "seed") {
    return Number.isInteger(value) && value >= 0 && value <= control.high ? value : undefined;
  }
  const { values } = control;
  if (!(value >= values[0] && value <= values[values.length - 1])) return undefined;
  return values[nearest(values, value)];
}

/** The place of the value in `values` that lies nearest. */
export function nearest(values, value) {
  let best = 0;
  values.forEach((one, i) => {
    if (Math.abs(one - value) < Math.abs(values[best] - value)) best = i;
  });
  return best;
}

/** What the page's address asks of a figure: {settings, ignored, moved}, names in the last two. */
export function fromAddress(search, slug, controls, slugs) {
  const settings = {};
  const ignored = [];
  const moved = [];
  const asked = [...new URLSearchParams(search)];
  const owner = (key) => slugs.find((one) => key.startsWith(`${one}.`));
  const first = asked.map(([key]) => owner(key)).find(Boolean);
  for (const [key, text] of asked) {
    const whose = owner(key);
    // a stranger beside our settings is named once, at the first figure that the link sets
    if (whose === undefined && first === slug) ignored.push(key);
    if (whose !== slug) continue;
    const name = key.slice(slug.length + 1);
    const control = controls.find((one) => one.name === name);
    const value = control && read(control, text.trim());
    if (value === undefined || name in settings) ignored.push(name);
    else {
      settings[name] = value;
      if (control.kind !== "choice" && Number(text) !== value) moved.push(control.label);
    }
  }
  return { settings, ignored, moved };
}

/** The link that carries these settings; what is as in the chapter is left out. */
export function toAddress(base, slug, id, controls, settings) {
  const link = new URL(base);
  const kept = new URLSearchParams();
  for (const control of controls) {
    if (settings[control.name] !== control.default) kept.set(`${slug}.${control.name}`, settings[control.name]);
  }
  link.search = kept.toString();
  link.hash = id;
  return link.href;
}

/** One sentence on what of a link was not taken over, or nothing. */
export function notice({ ignored, moved }) {
  const words = [];
  if (ignored.length) {
    const told = ignored.slice(0, MOST_TOLD).map((name) => `“${name.slice(0, 30)}”`);
    if (ignored.length > MOST_TOLD) told.push("…");
    words.push(`Ignored in this link, because the figure has no such setting or it is out of range: ${told.join(", ")}.`);
  }
  if (moved.length) words.push(`Moved to the nearest step: ${moved.join(", ")}.`);
  return words.join(" ");
}
