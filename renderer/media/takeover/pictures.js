// The picture that an element shows: the worker decodes it, and it is shown as its poster.

async function bring(query) {
  const reply = await ask("picture", query);
  return { ...timesOf((name) => reply.headers.get(name)), blob: await reply.blob() };
}

async function developed({ start, stop, damage, blob }) {
  const source = createObjectURL(blob);
  const image = new NativeImage();
  image.src = source;
  await image.decode(); // an event would wait for time to go on
  return { start, stop, damage, image, source };
}

/** What an element is at, and all that it says of itself. */
class State extends Playing {
  query() {
    return { source: this.facts.source, at: this.playedUs, loops: this.loops };
  }

  /** Where the wanted picture is in the source. */
  get place() {
    return this.placeOf(this.playedUs);
  }

  placeOf(us) {
    const { duration } = this;
    if (!this.loops || !(duration > 0)) return us / 1e6;
    const rounds = Math.floor((us + 0.5) / (duration * 1e6)); // the worker's are exact
    return Math.max(0, us / 1e6 - rounds * duration);
  }

  get isCurrent() {
    return this.shows(this.picture, this.place);
  }

  shows(picture, place) {
    return picture !== null && picture.start <= place && place < picture.stop;
  }

  /** Bring the picture that is due, if another is shown. */
  async update() {
    while (!this.isCurrent && this.hasPictures) {
      const { generation, place } = this;
      const query = this.query();
      const expected = await this.coming;
      this.coming = null;
      const isRight = expected && this.shows(expected, place);
      const picture = await developed(isRight ? expected : await bring(query));
      if (generation !== this.generation) return void revokeObjectURL(picture.source);
      this.present(picture);
      if (query.at === this.query().at) return;
    }
  }

  /** Ask for the next frame's picture, while this one is drawn. */
  lookAhead() {
    if (this.since === null || this.coming || this.isOver) return;
    const us = this.playedUs + Math.round((this.rate * 1e6 * options.fps[1]) / options.fps[0]);
    if (this.shows(this.picture, this.placeOf(us))) return;
    this.coming = bring({ ...this.query(), at: us });
    this.coming.catch(() => {}); // told when it is needed
  }

  /** The same, while the page waits: a script draws the video, or moves it, in this very frame. */
  updateAtOnce() {
    if (!this.hasPictures || this.isCurrent) return;
    const request = new NativeRequest();
    requests.open.call(request, "GET", address("picture", { ...this.query(), as: "text" }), false);
    requests.send.call(request);
    if (request.getResponseHeader("X-Problem")) throw new Error(request.responseText);
    const text = request.responseText;
    const times = timesOf((name) => request.getResponseHeader(name));
    // The poster is there when the frame is painted; an image to read from would be later.
    this.present({ ...times, text, image: null, source: `data:image/bmp;base64,${text}` });
  }

  present(picture) {
    const before = this.picture;
    this.picture = picture;
    this.presented += 1;
    this.showPoster();
    if (picture.damage) this.note(this.url, picture.damage);
    if (before?.source.startsWith("blob:")) revokeObjectURL(before.source);
  }

  showPoster() {
    const isOurs = this.picture && !this.showsOwnPoster;
    const source = isOurs ? this.picture.source : this.ownPoster;
    if (source === null || source === this.shown) return;
    this.shown = source;
    posters.set.call(this.element, source);
  }

  get isWatched() {
    return this.wasRead || this.callbacks.size > 0;
  }

  async show(isDrawn) {
    hooks.changed(this); // before what ends by now: a loop may have been switched off
    this.tick();
    await this.loading;
    hooks.changed(this);
    if (!this.hasPictures || !(this.isWatched || (isDrawn && this.element.isConnected))) return;
    await this.update();
    this.showPoster();
    if (this.picture !== this.calledFor) this.callBack();
    this.lookAhead();
  }

  callBack() {
    const { callbacks, facts } = this;
    this.callbacks = new Map();
    const stamp = now();
    this.calledFor = this.picture;
    for (const callback of callbacks.values()) {
      callback(stamp, {
        presentationTime: stamp,
        expectedDisplayTime: stamp,
        width: facts.width,
        height: facts.height,
        mediaTime: Math.max(0, this.picture.start + facts.tolerance),
        presentedFrames: this.presented,
        processingDuration: 0,
      });
    }
  }
}
