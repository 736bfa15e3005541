// Draws one series as bars around zero. The scene is built once; `show(time)` then sets every
// moving attribute from the time alone, so any frame can be shown without the ones before it.

const SVG = "http://www.w3.org/2000/svg";
const PLOT = { left: 96, right: 1184, top: 224, bottom: 604 };
const SWEEP_START_S = 0.7;
const SWEEP_END_S = 5.5;
const BAR_GROWTH_S = 0.55;
const BAR_LEAD_S = 0.3;

const data = { ...SAMPLE, ...window.framefarm?.props };
const format = new Intl.NumberFormat("en-US", {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
  signDisplay: "exceptZero",
});
const formatTick = new Intl.NumberFormat("en-US", {
  maximumFractionDigits: 2,
  signDisplay: "exceptZero",
});

const svg = document.querySelector("#chart");
svg.setAttribute("aria-label", `${data.title}. ${data.subtitle}`);
const scale = makeScale(data.values);
const grid = buildGrid();
const bars = buildBars();
const mean = buildMean();
const now = add("path", { class: "now", d: "M-7 0H7L0 -10Z" });
const note = buildNote();
const words = buildWords();
requestAnimationFrame(paint);

function paint(timestamp) {
  show(timestamp / 1000);
  requestAnimationFrame(paint);
}

function show(time) {
  const last = data.values.length - 1;
  const at = last * sweepEase(progress(time, SWEEP_START_S, SWEEP_END_S));
  showOpening(time);
  bars.forEach((bar, i) => showBar(bar, i, time));
  mean.clip.setAttribute("width", at > 0 ? scale.x(at) - PLOT.left : 0);
  now.setAttribute("transform", `translate(${scale.x(at)} ${PLOT.bottom + 16})`);
  words.year.textContent = String(data.firstYear + Math.round(at));
  showValue(valueAt(data.values, at));
  showNote(time);
}

/** The words rise, the first of them already there at time 0; the grid runs out from the left. */
function showOpening(time) {
  words.entering.forEach((word, i) => {
    const u = easeOut(progress(time, i * 0.08 - 0.25, i * 0.08 + 0.5));
    word.setAttribute("transform", `translate(0 ${14 * (1 - u)})`);
    word.setAttribute("opacity", u);
  });
  grid.lines.forEach((line, i) => {
    const u = easeInOut(progress(time, 0.05 + i * 0.04, 0.75 + i * 0.04));
    line.setAttribute("x2", mix(PLOT.left, PLOT.right, u));
  });
  const arrival = progress(time, 0.35, 0.85);
  for (const label of grid.labels) label.setAttribute("opacity", arrival);
  now.setAttribute("opacity", arrival * (1 - progress(time, 5.6, 5.9)));
}

function showBar(bar, i, time) {
  const u = easeOut(progress(time, bar.start, bar.start + BAR_GROWTH_S));
  const height = Math.abs(scale.y(data.values[i]) - scale.y(0)) * u;
  bar.rect.setAttribute("y", data.values[i] > 0 ? scale.y(0) - height : scale.y(0));
  bar.rect.setAttribute("height", height);
}

function showValue(value) {
  words.value.textContent = `${signed(format, value)} ${data.unit}`;
  words.value.setAttribute("fill", divergingColour(level(value), TEXT_COLOURS));
}

function showNote(time) {
  const u = easeOut(progress(time, 5.65, 6.35));
  note.leader.setAttribute("x2", mix(note.from, note.to, u));
  note.leader.setAttribute("opacity", progress(time, 5.65, 5.75));
  note.text.setAttribute("opacity", progress(time, 5.85, 6.35));
}

function makeScale(values) {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const slot = (PLOT.right - PLOT.left) / values.length;
  const toPixels = (PLOT.bottom - PLOT.top) / (high - low);
  return {
    low,
    high,
    slot,
    reach: Math.max(-low, high),
    x: (i) => PLOT.left + (i + 0.5) * slot,
    y: (value) => PLOT.bottom - (value - low) * toPixels,
  };
}

function buildGrid() {
  const steps = multiples(scale.low, scale.high, niceStep(scale.high - scale.low, 5));
  const lines = steps.map((step) => {
    const y = scale.y(step);
    const name = step === 0 ? "zero" : "grid";
    return add("line", { class: name, x1: PLOT.left, y1: y, x2: PLOT.left, y2: y });
  });
  const values = steps.map((step) => {
    const place = { class: "tick tick-y", x: PLOT.left - 14, y: scale.y(step) + 5 };
    return add("text", place, signed(formatTick, step));
  });
  const lastYear = data.firstYear + data.values.length - 1;
  const yearStep = Math.max(1, niceStep(data.values.length, 9));
  const years = multiples(data.firstYear, lastYear, yearStep).map((year) => {
    const x = scale.x(year - data.firstYear);
    return add("text", { class: "tick tick-x", x, y: PLOT.bottom + 36 }, String(year));
  });
  return { lines, labels: [...values, ...years] };
}

/** A bar starts to grow a little before the sweep reaches it. */
function buildBars() {
  const width = scale.slot * 0.78;
  const starts = sweepArrivals(data.values.length);
  return data.values.map((value, i) => ({
    start: starts[i] - BAR_LEAD_S,
    rect: add("rect", {
      x: scale.x(i) - width / 2,
      width,
      rx: Math.min(1.5, width / 4),
      fill: divergingColour(level(value), BAR_COLOURS),
    }),
  }));
}

/** When the sweep reaches each of `count` points: its easing, turned round by bisection. */
function sweepArrivals(count) {
  return Array.from({ length: count }, (_, i) => {
    let [low, high] = [0, 1];
    for (let step = 0; step < 30; step += 1) {
      const middle = (low + high) / 2;
      if (sweepEase(middle) * (count - 1) < i) low = middle;
      else high = middle;
    }
    return mix(SWEEP_START_S, SWEEP_END_S, high);
  });
}

function buildMean() {
  const means = movingMean(data.values, data.meanSpan);
  const points = means.map((value, i) => `${scale.x(i)} ${scale.y(value)}`);
  const clipPath = add("clipPath", { id: "swept" });
  const clip = add("rect", { x: PLOT.left, y: 0, height: 720, width: 0 }, "", clipPath);
  for (const name of ["mean-halo", "mean"]) {
    add("path", { class: name, d: `M${points.join("L")}`, "clip-path": "url(#swept)" });
  }
  return { clip };
}

/** The note stands at the height of the highest value, where no other bar can reach it. */
function buildNote() {
  const top = data.values.indexOf(scale.high);
  const side = top > data.values.length / 2 ? -1 : 1;
  const from = scale.x(top) + side * (scale.slot * 0.39 + 6);
  const to = from + side * 70;
  const y = scale.y(scale.high) + 1;
  return {
    from,
    to,
    leader: add("line", { class: "leader", x1: from, y1: y, x2: from, y2: y }),
    text: add(
      "text",
      { class: "note", x: to + side * 12, y: y + 6, "text-anchor": side < 0 ? "end" : "start" },
      data.note,
    ),
  };
}

function buildWords() {
  const title = add("text", { class: "title", x: PLOT.left, y: 98 }, data.title);
  const subtitle = add("text", { class: "subtitle", x: PLOT.left, y: 134 }, data.subtitle);
  const value = add("text", { class: "value", x: PLOT.right, y: 116 });
  const year = add("text", { class: "year", x: PLOT.right, y: 152 });
  const source = add("text", { class: "source", x: PLOT.left, y: 684 }, data.source);
  const legend = add("g", {});
  const label = add("text", { class: "legend", x: PLOT.right, y: 684 }, data.meanLabel, legend);
  const end = PLOT.right - label.getComputedTextLength() - 12;
  add("path", { class: "mean", d: `M${end - 30} 679H${end}` }, "", legend);
  return { value, year, entering: [title, subtitle, value, year, source, legend] };
}

/** Where a value lies between the extremes, −1…1; small ones are spread a little. */
function level(value) {
  return Math.sign(value) * Math.abs(value / scale.reach) ** 0.75;
}

function signed(formatter, value) {
  return formatter.format(value).replace("-", "\u2212");
}

function add(name, attributes, text = "", parent = svg) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  parent.append(element);
  return element;
}
