// Shows frame `frame` of the scene: what scripts draw of it, and the number in the row of squares.
const squares = [...document.querySelectorAll("#by-script i")];
const canvas = document.querySelector("canvas");
const draw = !canvas ? () => {}
  : SCENE.kind === "webgl" ? openTriangles(canvas, SCENE)
  : ((paint) => (frame) => drawShapes(paint, SCENE, frame))(canvas.getContext("2d"));
let shown = -1;

function show(frame) {
  draw(frame);
  const number = Math.floor(frame / SCENE.frames_a_number);
  if (number === shown) return;
  shown = number;
  const bits = squares.length / 2;
  squares.forEach((square, place) => {
    const bit = (number >> (place % bits)) & 1;
    square.className = bit === (place < bits ? 1 : 0) ? "on" : "";
  });
}
show(0);
