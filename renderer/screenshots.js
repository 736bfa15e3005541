// Animation frames when we say so, in a browser that draws whenever it likes; `screenshots.py` runs
// it in every document before all else. What it draws beside is nobody's frame: no script of the
// page hears of it.
() => {
  const nextFrame = window.requestAnimationFrame.bind(window);
  const listeners = { before: [], after: [] };
  let asked = new Map();
  let due = new Map();
  let nextId = 1;

  const replace = (name, value) =>
    Object.defineProperty(window, name, { value, writable: true, configurable: true });

  replace("requestAnimationFrame", (callback) => {
    if (typeof callback !== "function") return nextFrame(callback); // refuses it in its own words
    asked.set(nextId, callback);
    return nextId++;
  });
  replace("cancelAnimationFrame", (id) => {
    asked.delete(id);
    due.delete(id);
  });

  function run(callback) {
    try {
      callback(performance.now());
    } catch (error) {
      reportError(error);
    }
  }

  /** Within a frame of the browser's: its animation events came before, layout comes after. */
  function play() {
    [due, asked] = [asked, new Map()];
    for (const [id, callback] of due) if (due.has(id)) run(callback);
    due = new Map();
    for (const listener of listeners.after) listener();
  }

  const step = () =>
    new Promise((resolve) => {
      for (const listener of listeners.before) listener();
      nextFrame(() => resolve(play()));
    });

  const frames = {
    /** A frame within the page plays when the browser draws it, which it need not do. */
    join: () => void (window !== top && step()),
    step,
    before: (listener) => void listeners.before.push(listener),
    after: (listener) => void listeners.after.push(listener),
  };
  Object.defineProperty(window, Symbol.for("framefarm.frames"), { value: frames });
}
