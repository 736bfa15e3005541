// The page and its frames: the outermost that can be reached asks all.

const members = [];
// The empty document that a frame begins with may be left for one of another origin: promises made
// in it are never kept then.
const ownDocument = document;
let drawnAt = null;

const ours = {
  join: (member) => void members.push(member),
  read(element) {
    const state = stateOf(element);
    if (nativeStream.get.call(element) || !state.hasPictures || state.readyState < ENOUGH) return;
    state.wasRead = true;
    state.updateAtOnce();
    state.picture.image ??= canvasOf(bytesOf(state.picture.text));
    return state.picture.image;
  },
  isDrawing: () => drawnAt !== null && drawnAt === now(),
  isSettled: () => [...active].every((state) => !state.loading || state.networkState !== LOADING),
  async showOwn(isDrawn) {
    await Promise.all([...active].map((state) => state.show(isDrawn)));
  },
  /** Bring what the coming frame shows; from its end until time goes on, the frame is made. */
  async show(frame) {
    if (!members.some((member) => member.hasElements())) return;
    const isDrawn = frame >= options.firstDrawn;
    drawnAt = null;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const present = members.filter((member) => !member.isGone());
      await Promise.all(present.map((member) => member.showOwn(isDrawn)));
      if (present.every((member) => member.isSettled())) break;
    }
    drawnAt = now();
  },
  /** Until this frame only scripts read pictures. */
  drawFrom: (frame) => void (options.firstDrawn = frame),
  ask,
  hooks,
  exactNow,
  find: (element) => states.get(element),
  states: () => active,
  hasElements: () => active.size > 0,
  isGone: () => window.closed || ownDocument.defaultView === null,
};

let home = ours;
try {
  for (let around = window; around !== around.parent; around = around.parent) {
    home = around.parent[KEY] ?? home;
  }
} catch (error) {
  if (error.name !== "SecurityError") throw error; // of another origin: it is on its own
}
home.join(ours);

replaceElements();
watchMakers();
readPictures();
watch(document);
Object.defineProperty(window, KEY, { value: ours });
