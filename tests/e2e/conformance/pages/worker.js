const epoch = Date.UTC(2024, 0, 1);
const tenths = (ms) => Math.round(ms * 10);
const count = { interval: 0, chain: 0, timeout: 0, frames: 0 };
let nested = 0;
let paint = null;
let fps = 0;
const helper = new Worker("nested.js");
helper.onmessage = ({ data }) => postMessage({ nested: data });

setInterval(() => count.interval++, 7);
setTimeout(function next() {
  count.chain++;
  setTimeout(next, 10);
}, 10);
setTimeout(() => (count.timeout = tenths(performance.now())), 123.4);
onmessage = ({ data }) => {
  paint = data.screen.getContext("2d");
  fps = data.fps;
};
requestAnimationFrame(function draw(stamp) {
  postMessage({
    ...count,
    stamp: tenths(stamp),
    now: tenths(performance.now()),
    date: Date.now() - epoch,
    newDate: new Date().getTime() - epoch,
    origin: performance.timeOrigin - epoch,
    name: self.name === "clerk" ? 1 : 0,
  });
  const number = Math.floor((stamp * fps) / 1000 + 1e-6);
  for (let bit = 0; bit < 16; bit++) {
    paint.fillStyle = (number >> bit) & 1 ? "#fff" : "#000";
    paint.fillRect(24 * bit, 0, 24, 24);
  }
  count.frames++;
  requestAnimationFrame(draw);
});
