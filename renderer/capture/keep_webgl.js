// A WebGL canvas that is not drawn in a frame keeps its picture, as on a screen.
() => {
  const before = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (type, attributes) {
    const isWebgl = /webgl/.test(type);
    const kept = isWebgl ? { ...attributes, preserveDrawingBuffer: true } : attributes;
    return before.call(this, type, kept);
  };
}
