// Fills the empty page with noise: row y of the picture is `row` (BGRA, base64) from pixel y on.
(row, width, height) => {
  document.body.style.cssText = 'margin: 0; overflow: hidden; background: #000';
  let canvas = document.querySelector('canvas');
  if (!canvas) {
    canvas = document.body.appendChild(document.createElement('canvas'));
    canvas.width = width;
    canvas.height = height;
    const scale = devicePixelRatio;
    canvas.style.cssText =
      `display: block; image-rendering: pixelated; width: ${width / scale}px; height: ${height / scale}px`;
  }
  const bytes = Uint8ClampedArray.from(atob(row), (letter) => letter.charCodeAt(0));
  for (let at = 0; at < bytes.length; at += 4) {
    [bytes[at], bytes[at + 2]] = [bytes[at + 2], bytes[at]];
  }
  const colors = new Uint32Array(bytes.buffer);
  const context = canvas.getContext('2d', { alpha: false });
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let y = 0; y < height; y += 1) {
    pixels.set(colors.subarray(y, y + width), y * width);
  }
  context.putImageData(image, 0, 0);
}
