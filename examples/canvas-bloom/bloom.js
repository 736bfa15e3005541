// A flower that never stops opening: layers of petals grow out of the middle and dissolve at the
// edge. Each picture is computed from the time alone; the first follows the last without a seam.

const LOOP_S = 8;
const LAYERS = 30;
// How many layers further out each layer is after one loop. Even, because layers alternate.
const LAYERS_A_LOOP = 6;
const POINTS_A_PETAL = 36;
const INNER_RADIUS = 9;
const OUTER_RADIUS = 620;
const TAU = 2 * Math.PI;

// Each from the heart of the flower to its edge.
const PALETTES = [
  ["#fff0c4", "#ffc266", "#ff8050", "#ec4668", "#a93292", "#5a2c93", "#29246b", "#120f33"],
  ["#fff4dc", "#ffcfa6", "#ff9590", "#ea5a8e", "#ab3a94", "#63297f", "#311b58", "#150d2e"],
  ["#f8ffd6", "#c4f2a4", "#5fdca6", "#22b3b4", "#2580bd", "#2f4f9f", "#262a6b", "#0e1233"],
].map((palette) => palette.map(parseColour));

const canvas = document.querySelector("#stage");
const context = canvas.getContext("2d", { alpha: false });
const flower = sow();
requestAnimationFrame(paint);

/** Draw the lots that make this flower; framefarm seeds Math.random. */
function sow() {
  return {
    petals: 7 + Math.floor(Math.random() * 4),
    palette: PALETTES[Math.floor(Math.random() * PALETTES.length)],
    turn: Math.random() * TAU,
    twist: (0.5 + Math.random() * 0.4) * (Math.random() < 0.5 ? -1 : 1),
    sway: Math.random() * TAU,
    pollen: Array.from({ length: 110 }, () => ({
      angle: Math.random() * TAU,
      start: Math.random(),
      laps: 1 + Math.floor(Math.random() * 2),
      bend: (Math.random() - 0.5) * 1.6,
      size: 0.7 + Math.random() ** 3 * 2.4,
      reach: 0.55 + Math.random() * 0.65,
    })),
  };
}

function paint(timestamp) {
  const phase = (timestamp / 1000 / LOOP_S) % 1;
  paintGround();
  context.save();
  context.translate(canvas.width / 2, canvas.height / 2);
  for (const layer of layersAt(phase)) paintLayer(layer, phase);
  paintHeart(phase);
  for (const grain of flower.pollen) paintGrain(grain, phase);
  context.restore();
  paintLight();
  requestAnimationFrame(paint);
}

/** The layers from the outermost to the innermost; `age` runs from 0 (born) to 1 (gone). */
function layersAt(phase) {
  const layers = Array.from({ length: LAYERS }, (_, i) => {
    const age = ((i + phase * LAYERS_A_LOOP) / LAYERS) % 1;
    return { age, odd: i % 2 === 1 };
  });
  return layers.sort((a, b) => b.age - a.age);
}

function paintLayer({ age, odd }, phase) {
  const radius = INNER_RADIUS * (OUTER_RADIUS / INNER_RADIUS) ** age;
  const halfPetal = odd ? Math.PI / flower.petals : 0;
  const sway = 0.07 * Math.sin(TAU * (phase - 1.5 * age) + flower.sway);
  const outline = petalOutline(flower.turn + halfPetal + flower.twist * age + sway, age, phase);
  const presence = smoothstep(0, 0.1, age) * smoothstep(1, 0.8, age);

  context.globalAlpha = 0.085 * presence;
  context.fillStyle = "#08040f";
  for (const spread of [1.02, 1.04, 1.062, 1.086, 1.112, 1.14]) {
    context.fill(trace(outline, radius * spread));
  }
  const body = trace(outline, radius);
  context.globalAlpha = presence;
  context.fillStyle = petalGradient(age, radius);
  context.fill(body);
  engrave(outline, radius, age, presence);
  context.globalAlpha = 1;
}

/** Unit outline of a ring of petals: rounded lobes, a little pointed, never quite at rest. */
function petalOutline(rotation, age, phase) {
  const count = flower.petals * POINTS_A_PETAL;
  return Array.from({ length: count }, (_, i) => {
    const around = (i / count) * TAU;
    const across = Math.abs(Math.cos((around * flower.petals) / 2));
    const lobe = 0.6 + 0.34 * across ** 0.6 + 0.06 * across ** 6;
    const breath = 1 + 0.022 * Math.sin(3 * around + TAU * (phase - 2 * age) + flower.sway);
    const angle = around + rotation;
    const r = lobe * breath;
    return [r * Math.cos(angle), r * Math.sin(angle)];
  });
}

function trace(outline, radius) {
  const path = new Path2D();
  for (const [x, y] of outline) path.lineTo(x * radius, y * radius);
  path.closePath();
  return path;
}

/** Dark where the next layer lies on it, bright towards the tips. */
function petalGradient(age, radius) {
  const gradient = context.createRadialGradient(0, 0, radius * 0.42, 0, 0, radius * 1.02);
  gradient.addColorStop(0, css(shade(colourAt(age + 0.22), 0.62)));
  gradient.addColorStop(0.5, css(colourAt(age + 0.06)));
  gradient.addColorStop(1, css(colourAt(age - 0.08)));
  return gradient;
}

/** Fine lines that follow the rim, as if cut into the petals. */
function engrave(outline, radius, age, presence) {
  const rim = colourAt(age - 0.22);
  context.strokeStyle = css(rim);
  context.lineWidth = 0.6 + 0.7 * age;
  context.globalAlpha = 0.75 * presence;
  context.stroke(trace(outline, radius));
  for (const [inset, strength] of [[0.965, 0.3], [0.93, 0.22], [0.895, 0.15], [0.86, 0.1]]) {
    context.globalAlpha = strength * presence;
    context.stroke(trace(outline, radius * inset));
  }
}

function paintHeart(phase) {
  const pulse = 1 + 0.08 * Math.sin(TAU * 2 * phase);
  context.globalCompositeOperation = "lighter";
  for (const [radius, alpha] of [[26, 0.55], [110, 0.3], [330, 0.16]]) {
    context.fillStyle = glow(radius * pulse, alpha);
    context.fillRect(-radius * 1.1, -radius * 1.1, radius * 2.2, radius * 2.2);
  }
  context.globalCompositeOperation = "source-over";
}

function glow(radius, alpha) {
  const [inner, outer] = [flower.palette[1], flower.palette[2]];
  const gradient = context.createRadialGradient(0, 0, 0, 0, 0, radius);
  gradient.addColorStop(0, css(inner, alpha));
  gradient.addColorStop(0.4, css(outer, alpha * 0.38));
  gradient.addColorStop(1, css(outer, 0));
  return gradient;
}

/** Pollen drifts outwards on bent paths, a whole number of times a loop. */
function paintGrain({ angle, start, laps, bend, size, reach }, phase) {
  const age = (start + phase * laps) % 1;
  const distance = 40 + (OUTER_RADIUS * reach - 40) * age ** 0.8;
  const heading = angle + bend * age + 0.05 * Math.sin(TAU * (phase + start));
  const x = distance * Math.cos(heading) * 1.25;
  const y = distance * Math.sin(heading);
  context.globalCompositeOperation = "lighter";
  context.fillStyle = css(flower.palette[laps - 1]);
  for (const [scale, alpha] of [[1, 0.8], [1.9, 0.12], [3, 0.06]]) {
    context.globalAlpha = alpha * Math.sin(Math.PI * age) ** 1.5;
    context.beginPath();
    context.arc(x, y, size * scale, 0, TAU);
    context.fill();
  }
  context.globalAlpha = 1;
  context.globalCompositeOperation = "source-over";
}

function paintGround() {
  const { width, height } = canvas;
  const night = flower.palette.at(-1);
  const ground = context.createRadialGradient(
    width / 2, height / 2, 60, width / 2, height / 2, width * 0.62,
  );
  ground.addColorStop(0, css(flower.palette.at(-2)));
  ground.addColorStop(0.6, css(night));
  ground.addColorStop(1, css(shade(night, 0.55)));
  context.fillStyle = ground;
  context.fillRect(0, 0, width, height);
}

/** One light from the upper left, and a little darkness opposite. */
function paintLight() {
  const { width, height } = canvas;
  const light = context.createLinearGradient(width * 0.2, 0, width * 0.8, height);
  light.addColorStop(0, "rgba(255, 244, 226, 0.38)");
  light.addColorStop(0.5, "rgba(128, 128, 128, 0)");
  light.addColorStop(1, "rgba(10, 4, 24, 0.6)");
  context.globalCompositeOperation = "soft-light";
  context.fillStyle = light;
  context.fillRect(0, 0, width, height);
  context.globalCompositeOperation = "source-over";
}

/** The palette's colour at `position` 0…1; bent, so that warm colours reach far out. */
function colourAt(position) {
  const last = flower.palette.length - 1;
  const place = Math.min(Math.max(position, 0), 1) ** 1.45 * last;
  const index = Math.min(Math.floor(place), last - 1);
  const [from, to] = [flower.palette[index], flower.palette[index + 1]];
  return from.map((channel, i) => channel + (to[i] - channel) * (place - index));
}

function parseColour(hex) {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}

function shade(colour, factor) {
  return colour.map((channel) => channel * factor);
}

function css(colour, alpha = 1) {
  return `rgba(${colour.map((channel) => Math.round(channel)).join(", ")}, ${alpha})`;
}

function smoothstep(from, to, value) {
  const u = Math.min(Math.max((value - from) / (to - from), 0), 1);
  return u * u * (3 - 2 * u);
}
