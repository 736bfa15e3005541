// A row of 16 squares of 24 px at the top left: the bits of a number, the lowest on the left.
const SQUARES = 16;
const SIDE_PX = 24;

function squaresRow(y = 0) {
  const row = document.createElement("div");
  row.style.cssText = `position:fixed;left:0;top:${y}px;height:${SIDE_PX}px;z-index:9`;
  for (let bit = 0; bit < SQUARES; bit++) {
    const square = document.createElement("i");
    square.style.cssText =
      `position:absolute;left:${bit * SIDE_PX}px;top:0;` +
      `width:${SIDE_PX}px;height:${SIDE_PX}px;background:#000`;
    row.append(square);
  }
  document.body.append(row);
  return row;
}

function showNumber(row, number) {
  [...row.children].forEach((square, bit) => {
    square.style.background = (number >> bit) & 1 ? "#fff" : "#000";
  });
}

// Frame times are rounded up to 0.1 ms, so the frame at a time is what has begun by then.
const frameAt = (ms) => Math.floor((ms * framefarm.fps) / 1000 + 1e-6);
