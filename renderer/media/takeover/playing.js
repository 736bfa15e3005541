// Where an element is in what it plays: a function of the clock.

class Playing extends Loading {
  start() {
    this.paused = false;
    this.hasMoved = true;
    this.since = exactNow();
    this.updatedAt = now();
    this.fireSoon("play");
  }

  /** Play by its clip, from `offset` seconds of the timeline on. */
  follow({ offset, seek }) {
    this.start();
    this.since = offset * 1000;
    this.offset = seek;
  }

  play() {
    this.isDriven = true;
    this.refresh();
    if (this.error) {
      const refused = Promise.reject(new DOMException(this.error.message, "NotSupportedError"));
      refused.catch(() => {}); // it is told as a warning; a page that asks still learns of it
      return refused;
    }
    if (this.isOver) this.moveTo(0);
    if (this.paused) {
      this.start();
      hooks.changed(this);
      if (this.readyState === ENOUGH) return this.fireSoon("playing");
    }
    if (this.readyState === ENOUGH) return Promise.resolve();
    const started = new Promise((resolve, reject) => this.starters.push({ resolve, reject }));
    started.catch(() => {});
    return started;
  }

  pause() {
    this.canAutoplay = false;
    this.isDriven = true;
    if (this.paused) return;
    this.offset = this.currentTime;
    this.since = null;
    this.paused = true;
    hooks.changed(this);
    for (const { reject } of this.starters.splice(0)) {
      reject(new DOMException("interrupted by a call to pause()", "AbortError"));
    }
    this.fireSoon("timeupdate", "pause");
  }

  setRate(rate) {
    if (!(rate >= 0 && rate <= 16)) {
      throw new DOMException(`the playback rate ${rate} is not supported`, "NotSupportedError");
    }
    if (rate === this.rate) return;
    this.moveTo(this.currentTime);
    this.rate = rate;
    hooks.changed(this);
    this.fireSoon("ratechange");
  }

  moveTo(time) {
    this.offset = time;
    if (!this.paused) this.since = exactNow();
  }

  seek(time) {
    this.isDriven = true;
    this.refresh();
    const end = this.facts ? this.duration : Infinity;
    this.moveTo(Math.min(Math.max(0, Number(time)), end));
    if (!Number.isFinite(this.offset)) throw new TypeError(`currentTime is not finite: ${time}`);
    this.hasMoved = this.hasSought = true;
    hooks.changed(this);
    if (this.readyState === NOTHING) return;
    const seeking = {};
    this.seeking = seeking;
    this.fireSoon("seeking");
    if (home.isDrawing()) this.updateAtOnce();
    this.arrive(seeking);
  }

  async arrive(seeking) {
    const { generation } = this;
    if (this.hasPictures) await this.update();
    await null;
    if (generation !== this.generation || this.seeking !== seeking) return;
    this.seeking = null;
    this.fire("timeupdate", "seeked", "canplay");
  }

  /** What is due by the frame that comes. */
  tick() {
    if (this.since === null || this.readyState !== ENOUGH) return;
    if (this.isOver) {
      this.offset = this.duration;
      this.since = null;
      this.paused = true;
      hooks.changed(this);
      this.fire("timeupdate", "pause", "ended");
    } else if (now() - this.updatedAt >= UPDATE_MS) {
      this.updatedAt = now();
      this.fire("timeupdate");
    }
  }
}
