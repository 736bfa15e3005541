let count = 0;
setInterval(() => count++, 9);
requestAnimationFrame(function draw() {
  postMessage(count);
  requestAnimationFrame(draw);
});
