// What a document finds around it and Chromium cannot be told by DevTools; `surroundings.py` runs
// it in every document before the document's own scripts.
(options) => {
  if ("deviceMemory" in Navigator.prototype) {
    Object.defineProperty(Navigator.prototype, "deviceMemory", {
      get: () => options.memoryGib,
      enumerable: true,
      configurable: true,
    });
  }
}
