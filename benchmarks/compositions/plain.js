// A page that knows of no renderer: it shows what the browser's clock says.
requestAnimationFrame(function tick(ms) {
  show(Math.floor(ms * SCENE.fps / 1000));
  requestAnimationFrame(tick);
});
