// Where to write the name of a curve: beside it, clear of everything else. Pure; imports nothing.
//
// The same candidates and costs as simulations/figures/labels.py. There every candidate is
// compared with every point; here points are counted once on a raster of 1.5 units, because the
// names are placed anew with every frame of a drag. A name prefers to stay where it was.

const CELL = 1.5;
const DENSE = 2;
const GAP = 4;
const PICKS = 70;
const FAR = 33;

/** How many points of a cloud lie in a box, in constant time: a table of sums over the raster. */
class Cover {
  constructor(columns, rows, clouds) {
    this.columns = columns;
    this.rows = rows;
    this.wide = columns + 1;
    this.sums = new Uint32Array(this.wide * (rows + 1));
    const { sums, wide } = this;
    for (const points of clouds) {
      for (const [x, y] of points) {
        const c = Math.floor(x / CELL);
        const r = Math.floor(y / CELL);
        if (c >= 0 && r >= 0 && c < columns && r < rows) sums[(r + 1) * wide + c + 1] += 1;
      }
    }
    for (let r = 1; r <= rows; r += 1) {
      let run = 0;
      for (let at = r * wide + 1; at < (r + 1) * wide; at += 1) {
        run += sums[at];
        sums[at] = run + sums[at - wide];
      }
    }
  }

  /** Points in the cells of a box widened by so many cells. */
  inside([x0, y0, x1, y1], by = 0) {
    const { sums, wide, columns, rows } = this;
    const c0 = Math.min(Math.max(Math.floor(x0 / CELL) - by, 0), columns);
    const c1 = Math.min(Math.max(Math.ceil(x1 / CELL) + by, 0), columns);
    const r0 = Math.min(Math.max(Math.floor(y0 / CELL) - by, 0), rows) * wide;
    const r1 = Math.min(Math.max(Math.ceil(y1 / CELL) + by, 0), rows) * wide;
    return sums[r1 + c1] - sums[r0 + c1] - sums[r1 + c0] + sums[r0 + c0];
  }
}

// How far the nearest point is from a box; what lies farther than FAR does not matter.
function gap(count, box) {
  if (!count(box, FAR / CELL)) return FAR;
  let [low, high] = [-1, FAR / CELL];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (count(box, middle)) high = middle; else low = middle;
  }
  return high * CELL;
}

/** A polyline's points with no gap above 2 units; gaps in the data stay gaps. */
export function dense(points) {
  const found = [];
  let before = null;
  for (const { px, py } of points) {
    if (Number.isNaN(px) || Number.isNaN(py)) { before = null; continue; }
    if (before) {
      const [x, y] = before;
      const parts = Math.max(1, Math.min(400, Math.floor(Math.hypot(px - x, py - y) / DENSE)));
      for (let i = 1; i < parts; i += 1) found.push([x + ((px - x) * i) / parts, y + ((py - y) * i) / parts]);
    }
    found.push([px, py]);
    before = [px, py];
  }
  return found;
}

// Places to try for a name: [x, y of the upper left corner, a small cost of its own].
function candidates({ own, at, width, height }) {
  const count = Math.min(own.length, PICKS);
  let picks = Array.from({ length: count }, (_, i) => own[Math.trunc((i * (own.length - 1)) / Math.max(1, count - 1))]);
  if (at !== null) {
    picks = [...picks].sort((a, b) => Math.abs(a[0] - at) - Math.abs(b[0] - at)).slice(0, 25);
  }
  return picks.flatMap(([x, y], i) => {
    // names read best past the middle
    const middle = at === null ? Math.abs(i / Math.max(1, picks.length - 1) - 0.6) : Math.abs(x - at) / 15;
    const places = [];
    for (const [across, costX] of [[0.5, 0], [0, 0.3], [1, 0.3]]) {
      places.push([x - across * width, y - GAP - height, middle + costX]);
      places.push([x - across * width, y + GAP, middle + costX + 0.5]);
    }
    places.push([x + GAP + 2, y - height / 2, middle + 0.6]);
    places.push([x - width - GAP - 2, y - height / 2, middle + 0.6]);
    return places;
  });
}

// Where nothing along the curve is free: anywhere, with a thin line to the curve.
function anywhere({ own, width, height }, frame) {
  const found = [];
  for (let y = frame.top + 2; y + height < frame.bottom - 2; y += 7) {
    for (let x = frame.left + 2; x + width < frame.right; x += 10) {
      let near = 1e9;
      for (let i = 0; i < own.length; i += 4) {
        const dx = Math.max(x - own[i][0], 0, own[i][0] - x - width);
        const dy = Math.max(y - own[i][1], 0, own[i][1] - y - height);
        near = Math.min(near, Math.hypot(dx, dy));
      }
      found.push([x, y, 20 + 0.2 * near]);
    }
  }
  return found;
}

const touches = (a, b) => a[0] < b[2] + 3 && a[2] + 3 > b[0] && a[1] < b[3] + 2 && a[3] + 2 > b[1];
const CROWDED = 60;

/**
 * Boxes [x0, y0, x1, y1] for names, each with `own` (its points), `width`, `height`, `at` (a wished-for
 * x, or null) and `before` (where its last box had its corner, or null).
 */
export function place(labels, obstacles, frame, page) {
  const columns = Math.ceil(page.width / CELL);
  const rows = Math.ceil(page.height / CELL);
  const all = new Cover(columns, rows, obstacles);
  const boxes = labels.map(() => null);
  const covers = labels.map((label) => {
    const own = new Cover(columns, rows, [label.own]);
    const isAmong = obstacles.includes(label.own);
    return {
      own: (box, by) => own.inside(box, by),
      foreign: isAmong ? (box, by) => all.inside(box, by) - own.inside(box, by) : (box, by) => all.inside(box, by),
    };
  });
  for (let turn = 0; turn < 2; turn += 1) {
    labels.forEach((label, i) => {
      const { own, foreign } = covers[i];
      const others = boxes.filter((box, j) => box && j !== i);
      const { width, height, before } = label;
      let best = null;
      let bestCost = Infinity;
      const attempt = ([x, y, small]) => {
        const box = [x, y, x + width, y + height];
        const over = Math.max(0, frame.left - box[0]) + Math.max(0, box[2] - Math.min(frame.right + 4, page.width))
          + Math.max(0, box[3] - frame.bottom + 2) + Math.max(0, frame.top - 6 - box[1]);
        let cost = small + 40 * over;
        if (before) cost += 0.03 * Math.min(30, Math.hypot(x - before[0], y - before[1]));
        if (cost >= bestCost) return;
        for (const other of others) if (touches(box, other)) cost += 400;
        if (cost >= bestCost) return;
        // letters that hang below the line reach a little out of the box
        const inked = [x, y, x + width, y + height + 1];
        cost += 12 * foreign(inked) + 3 * own(inked);
        if (cost >= bestCost) return;
        const near = gap(own, box);
        const far = gap(foreign, box);
        // clear of others, and plainly nearer to its own curve
        cost += 0.12 * Math.max(0, 14 - far) + 0.7 * Math.max(0, 9 - (far - near));
        if (cost < bestCost) { best = box; bestCost = cost; }
      };
      candidates(label).forEach(attempt);
      if (bestCost > CROWDED) anywhere(label, frame).forEach(attempt);
      boxes[i] = best ?? [frame.left, frame.top, frame.left + width, frame.top + height];
    });
  }
  return boxes;
}
