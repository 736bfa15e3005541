// Pure functions of numbers: easing, mixing, averages and colours. Nothing here remembers anything.

const clamp01 = (u) => Math.min(Math.max(u, 0), 1);
const mix = (from, to, u) => from + (to - from) * u;

/** How much of the span from `start` to `end` seconds has gone by, 0…1. */
const progress = (time, start, end) => clamp01((time - start) / (end - start));

const easeOut = (u) => 1 - (1 - u) ** 4;
const easeInOut = (u) => (u < 0.5 ? 4 * u ** 3 : 1 - (2 - 2 * u) ** 3 / 2);

/** Slow at both ends and even between: a sweep that can be read. */
const sweepEase = (u) => mix(u, u * u * (3 - 2 * u), 0.7);

/** The series between its points: `at` is an index with a fraction. */
function valueAt(values, at) {
  const index = Math.min(Math.floor(at), values.length - 1);
  const next = Math.min(index + 1, values.length - 1);
  return mix(values[index], values[next], at - index);
}

/** Centred mean over `span` points; near the ends over those that there are. */
function movingMean(values, span) {
  return values.map((_, i) => {
    const from = Math.max(0, i - Math.floor(span / 2));
    const window = values.slice(from, i + Math.ceil(span / 2));
    return window.reduce((sum, value) => sum + value, 0) / window.length;
  });
}

/** A round step that cuts `range` into about `count` parts. */
function niceStep(range, count) {
  const rough = range / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
}

/** Multiples of `step` from `low` to `high`. */
function multiples(low, high, step) {
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

// From cold over neutral to warm. Text is darker than bars, to be read on paper.
const BAR_COLOURS = [
  [31, 68, 128], [62, 116, 172], [146, 188, 213], [226, 220, 205],
  [245, 186, 124], [228, 95, 58], [158, 27, 45],
];
const TEXT_COLOURS = [
  [31, 68, 128], [49, 104, 163], [92, 124, 152], [110, 114, 120],
  [190, 112, 62], [222, 84, 50], [158, 27, 45],
];

/** The colour at `level`, from −1 for the first of `colours` to 1 for the last. */
function divergingColour(level, colours) {
  const place = clamp01((level + 1) / 2) * (colours.length - 1);
  const index = Math.min(Math.floor(place), colours.length - 2);
  const channels = colours[index].map((channel, i) =>
    Math.round(mix(channel, colours[index + 1][i], place - index)),
  );
  return `rgb(${channels.join(" ")})`;
}
