// A frame of the canvas page: a gradient and 400 turning shapes, all of it a function of the frame.
function drawShapes(paint, { width, height, fps, shapes }, frame) {
  const seconds = frame / fps;
  const sky = paint.createLinearGradient(0, 0, width, height);
  sky.addColorStop(0, "#14213d");
  sky.addColorStop(1, "#f2c14e");
  paint.fillStyle = sky;
  paint.fillRect(0, 0, width, height);
  for (const shape of shapes) {
    const angle = shape.speed * seconds;
    paint.save();
    paint.translate(
      shape.x * width + shape.reach_x * Math.sin(angle + shape.phase),
      shape.y * height + shape.reach_y * Math.cos(angle + shape.phase),
    );
    paint.rotate(angle);
    paint.fillStyle = `hsl(${shape.hue} 75% 58%)`;
    paint.beginPath();
    outline(paint, shape);
    paint.fill();
    paint.restore();
  }
}

function outline(paint, { kind, size }) {
  if (kind === "disc") {
    paint.arc(0, 0, size, 0, 2 * Math.PI);
  } else if (kind === "square") {
    paint.rect(-size, -size, 2 * size, 2 * size);
  } else {
    paint.moveTo(0, -size);
    paint.lineTo(size, size);
    paint.lineTo(-size, size);
    paint.closePath();
  }
}
