// A WebGL canvas that is not drawn in a frame keeps its picture, as on a screen.
() => {
  for (const { prototype } of [HTMLCanvasElement, OffscreenCanvas]) {
    const before = prototype.getContext;
    prototype.getContext = function getContext(type, attributes) {
      const isWebgl = /webgl/.test(type);
      const kept = isWebgl ? { ...attributes, preserveDrawingBuffer: true } : attributes;
      return before.call(this, type, kept);
    };
  }
}
