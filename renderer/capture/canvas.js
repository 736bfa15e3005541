// Reads a canvas at the end of a frame: in the last of its animation frame callbacks, when the page
// has drawn, and in the same task, so that a WebGL drawing is still there. Asked for before the
// frame is drawn (`request`), told after it (`take`).
(find, selector) => {
  const copy = document.createElement("canvas");
  const context = copy.getContext("2d", { alpha: false, willReadFrequently: true });
  let canvas = null;
  let outcome = null;

  function read(wantsPicture) {
    if (!canvas?.isConnected) canvas = find(selector);
    if (!(canvas instanceof HTMLCanvasElement)) {
      return { absent: canvas ? `it is a <${canvas.localName}>` : "no element matches it" };
    }
    const { width, height } = canvas;
    if (!wantsPicture || width === 0 || height === 0) return { width, height };
    if (copy.width !== width || copy.height !== height) Object.assign(copy, { width, height });
    context.fillStyle = "#fff"; // a video has no transparency
    context.fillRect(0, 0, width, height);
    context.drawImage(canvas, 0, 0);
    return { width, height, picture: copy.toDataURL("image/png").split(",")[1] };
  }

  function tryToRead(wantsPicture) {
    try {
      return read(wantsPicture);
    } catch (error) {
      if (error.name === "SyntaxError") return { absent: error.message };
      if (error.name === "SecurityError") return { tainted: error.message };
      throw error;
    }
  }

  const reader = {
    request: (wantsPicture) =>
      void requestAnimationFrame(() => (outcome = tryToRead(wantsPicture))),
    take: () => outcome,
  };
  Object.defineProperty(window, Symbol.for("framefarm.canvas"), { value: reader });
}
