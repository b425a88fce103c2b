// Plays the moving pictures of a page. The build drew one moment of each; this moves that drawing
// along the keyframes which stand beside it. Nothing plays by itself.

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// The last of `keys` at or before a moment; -1 before the first.
function before(keys, at) {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle][0] <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

class Movie {
  constructor(figure) {
    this.data = JSON.parse(figure.querySelector(".movie-keys").textContent);
    const stage = figure.querySelector(".movie-stage");
    const parts = (name) => [...stage.querySelectorAll(`.${name}[data-i]`)];
    [this.actors, this.words, this.levels] = ["actor", "words", "level"].map(parts);
    this.head = stage.querySelector(".head");
    this.at = this.data.still;
    this.timer = 0;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.panel(figure);
  }

  panel(figure) {
    const panel = document.createElement("div");
    panel.className = "movie-panel";
    const button = (label, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = label;
      made.addEventListener("click", act);
      panel.append(made);
      return made;
    };
    this.play = button("Play", () => (this.timer ? this.pause() : this.start()));
    button("Back", () => this.step(-1)).title = "To the moment before";
    button("Next", () => this.step(1)).title = "To the next moment";
    this.slider = document.createElement("input");
    Object.assign(this.slider, { type: "range", min: 0, max: this.data.lasts, step: "any", value: this.at });
    this.slider.setAttribute("aria-label", "Time of the picture");
    this.slider.addEventListener("input", () => {
      this.pause();
      this.show(Number(this.slider.value));
      this.tell();
    });
    // One step of a key is one moment, not a hair's breadth.
    this.slider.addEventListener("keydown", (event) => {
      const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (!way) return;
      event.preventDefault();
      this.step(way);
    });
    this.told = document.createElement("p");
    this.told.className = "movie-told";
    panel.append(this.slider, this.told);
    figure.querySelector(".movie-stage").after(panel);
    this.tell();
    this.told.setAttribute("aria-live", "polite");
  }

  name() {
    this.slider.setAttribute("aria-valuetext", `${this.at.toFixed(this.data.lasts > 20 ? 0 : 1)} seconds`);
  }

  // The moment before or after this one, in the order of what happened.
  step(way) {
    this.pause();
    const { steps, lasts } = this.data;
    const here = before(steps, this.at + 1e-9);
    let next = here + way;
    if (way < 0 && here >= 0 && this.at > steps[here][0] + 1e-6) next = here;
    this.show(next < 0 ? 0 : next >= steps.length ? lasts : steps[next][0]);
    this.tell();
  }

  tell() {
    const here = before(this.data.steps, this.at + 1e-9);
    this.told.textContent = here < 0 ? "" : this.data.steps[here][1];
    this.name();
  }

  start() {
    if (this.at >= this.data.lasts) this.at = 0;
    this.play.textContent = "Pause";
    let last = performance.now();
    let told = before(this.data.steps, this.at);
    const frame = (now) => {
      const passed = clamp(now - last, 0, 100) / 1000;
      // Without motion: the same moments, one after the other, nothing in between.
      if (this.still.matches) {
        if (now - last >= 1500) {
          last = now;
          const { steps, lasts } = this.data;
          const next = before(steps, this.at + 1e-9) + 1;
          this.show(next < steps.length ? steps[next][0] : lasts);
          this.tell();
        }
      } else {
        last = now;
        this.show(Math.min(this.at + passed * this.data.pace, this.data.lasts));
        const here = before(this.data.steps, this.at);
        if (here !== told) {
          told = here;
          this.tell();
        }
      }
      if (this.at >= this.data.lasts) this.pause();
      else this.timer = requestAnimationFrame(frame);
    };
    this.timer = requestAnimationFrame(frame);
  }

  pause() {
    cancelAnimationFrame(this.timer);
    this.timer = 0;
    this.play.textContent = "Play";
  }

  show(at) {
    this.at = at;
    const { actors, words, levels, head, lasts } = this.data;
    this.actors.forEach((node, i) => {
      const keys = actors[i];
      const here = before(keys, at);
      if (here < 0) {
        node.setAttribute("class", "actor m-gone");
        return;
      }
      const [from, x0, y0, state] = keys[here];
      const next = keys[here + 1];
      const share = next && state !== "gone" ? (at - from) / (next[0] - from) : 0;
      const [x, y] = next ? [x0 + share * (next[1] - x0), y0 + share * (next[2] - y0)] : [x0, y0];
      node.setAttribute("class", `actor m-${state}`);
      node.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    });
    this.words.forEach((node, i) => {
      const text = words[i][Math.max(before(words[i], at), 0)][1];
      if (node.textContent !== text) node.textContent = text;
    });
    this.levels.forEach((node, i) => {
      const [top, height, values] = levels[i];
      const here = Math.max(before(values, at), 0);
      const next = values[here + 1] ?? values[here];
      const span = next[0] - values[here][0] || 1;
      const share = values[here][1] + clamp((at - values[here][0]) / span, 0, 1) * (next[1] - values[here][1]);
      node.setAttribute("y", (top + height * (1 - share)).toFixed(1));
      node.setAttribute("height", (height * share).toFixed(1));
    });
    if (this.head) {
      const x = (head[0] + ((head[1] - head[0]) * at) / lasts).toFixed(1);
      this.head.setAttribute("x1", x);
      this.head.setAttribute("x2", x);
    }
    this.slider.value = at;
  }
}

for (const figure of document.querySelectorAll("figure.movie")) new Movie(figure);
