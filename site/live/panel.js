// The controls below a live figure: plain inputs with labels, so that keyboard, touch and screen
// reader have what they know.

import { nearest } from "./settings.js";

/** A new element with properties. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function slider(id, control, change) {
  const { values, texts } = control;
  const last = values.length - 1;
  const input = make("input", { type: "range", id, min: 0, max: last, step: 1 });
  const output = make("output", { htmlFor: id });
  const say = () => {
    output.textContent = texts[input.value];
    input.setAttribute("aria-valuetext", texts[input.value]);
    input.style.setProperty("--at", `${(100 * input.value) / last}%`);
  };
  input.addEventListener("input", () => {
    say();
    change(values[input.value]);
  });
  const element = make("div", { className: "live-control" }, make("label", { htmlFor: id, textContent: control.label }), output, input);
  const set = (value) => {
    input.value = nearest(values, value);
    say();
  };
  return { element, input, set };
}

function choice(id, control, change) {
  const options = control.values.map((_, i) => make("option", { value: i, textContent: control.texts[i] }));
  const input = make("select", { id }, ...options);
  input.addEventListener("change", () => change(control.values[input.value]));
  const element = make("div", { className: "live-control" }, make("label", { htmlFor: id, textContent: control.label }), input);
  const set = (value) => {
    input.value = control.values.indexOf(value);
  };
  return { element, input, set };
}

function seed(id, control, change) {
  const input = make("input", { type: "number", id, min: 0, max: control.high, step: 1, inputMode: "numeric" });
  input.addEventListener("change", () => {
    const value = Math.min(control.high, Math.max(0, Math.round(Number(input.value) || 0)));
    input.value = value;
    change(value);
  });
  const set = (value) => {
    input.value = value;
  };
  const another = make("button", { type: "button", textContent: "New seed" });
  another.addEventListener("click", () => {
    input.value = 1 + Math.floor(Math.random() * control.high);
    change(Number(input.value));
  });
  const element = make("div", { className: "live-seed" }, make("label", { htmlFor: id, textContent: control.label }), input, another);
  return { element, input, another, set };
}

const KINDS = { slider, choice, seed };

/** The panel of a figure; `on` hears what the reader does. */
export function panel({ element: figure, controls, presets }, on) {
  const made = Object.fromEntries(controls.map((control) => [
    control.name,
    KINDS[control.kind](`${figure.id}-${control.name}`, control, (value) => on.change(control.name, value)),
  ]));
  const button = (text, act, className = "") => {
    const one = make("button", { type: "button", textContent: text, className });
    one.addEventListener("click", act);
    return one;
  };
  const chips = new Map([["", button("Chapter's setting", () => on.preset(""))]]);
  for (const name of Object.keys(presets)) chips.set(name, button(name, () => on.preset(name)));
  const row = make("div", { className: "live-presets", role: "group", ariaLabel: "Presets" }, ...chips.values());
  const moved = controls.filter((one) => one.kind !== "seed").map((one) => made[one.name].element);
  const grid = make("div", { className: "live-controls" }, ...moved);
  const compare = make("input", { type: "checkbox", checked: true });
  compare.addEventListener("change", on.compare);
  const replay = button("Replay", on.replay);
  const compared = make("label", { className: "live-compare" }, compare, "compare with the chapter");
  const bar = make("progress", { className: "live-progress", hidden: true, ariaLabel: "Computing" });
  const status = make("p", { className: "live-status", role: "status" });
  const heard = make("p", { className: "visually-hidden", ariaLive: "polite" });
  const warning = make("p", { className: "live-warning", role: "status", hidden: true });
  const code = make("code");
  const copy = button("Copy the lines", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Select and copy them";
    }
    setTimeout(() => { copy.textContent = "Copy the lines"; }, 1500);
  });
  const where = make("p", { textContent: "The same experiment with this setting, in JupyterLab:" });
  const lab = make("details", { className: "live-lab" }, make("summary", { textContent: "Open in the lab" }), where, make("pre", { tabIndex: 0 }, code), copy);
  const runs = made.seed ? [made.seed.element, replay] : [replay];
  const tools = make("div", { className: "live-tools" }, compared, ...runs,
    make("span", { className: "live-take" }, button("Copy link", on.link), button("CSV", () => on.save("csv")), button("SVG", () => on.save("svg"))));
  tools.querySelectorAll(".live-take button").forEach((one, i) => {
    if (i) one.setAttribute("aria-label", `Download as ${one.textContent}`);
  });
  const element = make("div", { className: "live-panel", role: "group", ariaLabel: "Controls of the figure" }, bar, row, warning, grid, tools, status, heard, lab);

  let busy = 0;
  const self = {
    element,
    set(settings) {
      for (const [name, value] of Object.entries(settings)) made[name].set(value);
    },
    /** Which preset is set now; null for none. */
    mark(name) {
      for (const [one, chip] of chips) chip.setAttribute("aria-pressed", String(one === name));
    },
    /** Place the numbers where they may grow without moving a slider under the finger. */
    hold(numbers) {
      if (numbers) grid.after(numbers);
    },
    comparing: () => compare.checked,
    tell(text, more) {
      status.replaceChildren(text, ...(more ? [more] : []));
    },
    announce(text) {
      heard.textContent = text;
    },
    warn(text) {
      warning.textContent = text;
      warning.hidden = !text;
    },
    busy(is) {
      clearTimeout(busy);
      figure.classList.toggle("busy", is);
      if (!is) bar.hidden = true;
      else if (bar.hidden) {
        bar.removeAttribute("value");
        // what is done before anyone could see it shows no bar
        busy = setTimeout(() => { bar.hidden = false; }, 60);
      }
    },
    progress(share) {
      if (share === null || share === undefined) bar.removeAttribute("value");
      else bar.value = share;
    },
    /** No more computing: what needs Python is switched off, the rest stays. */
    stop() {
      for (const { input, another } of Object.values(made)) {
        input.disabled = true;
        if (another) another.disabled = true;
      }
      replay.disabled = true;
    },
    focus: () => Object.values(made)[0]?.input.focus(),
    lab(lines, page) {
      code.textContent = lines;
      if (page) where.replaceChildren("The same experiment with this setting, ", make("a", { href: page, textContent: "in JupyterLab" }), ":");
    },
  };
  self.set(Object.fromEntries(controls.map((one) => [one.name, one.default])));
  self.mark("");
  return self;
}
