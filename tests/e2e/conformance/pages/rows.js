// Rows of numbers: `rows("now", "date")` makes two, and each frame `show({ now: 5, date: 7 })`
// draws them. A number has 16 bits; what is longer is cut, what is not whole is rounded down.
const lines = new Map();

function rows(...names) {
  for (const name of names) lines.set(name, squaresRow(24 * lines.size));
}

function show(numbers) {
  for (const [name, number] of Object.entries(numbers)) {
    showNumber(lines.get(name), Math.floor(number + 1e-6) & 0xffff);
  }
}

// Milliseconds as whole tenths: frame times lie on that grid.
const tenths = (ms) => Math.round(ms * 10);

function eachFrame(draw) {
  requestAnimationFrame(function next(stamp) {
    draw(stamp);
    requestAnimationFrame(next);
  });
}
