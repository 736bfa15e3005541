// What an element is to play: what it names, and what the worker knows of that.

function address(call, query) {
  const isOurs = self.origin.endsWith(options.domain);
  const base = isOurs ? self.origin : options.origin;
  return `${base}${options.path}/${call}?${new URLSearchParams(query)}`;
}

async function ask(call, query, request) {
  const reply = await nativeFetch(address(call, query), request);
  if (!reply.ok || reply.headers.has("X-Problem")) throw new Error(await reply.text());
  return reply;
}

const timesOf = (header) => {
  const us = (name) => (header(name) ? Number(header(name)) / 1e6 : null);
  return { start: us("X-Start"), stop: us("X-Stop") ?? Infinity, damage: header("X-Damaged") };
};

const known = new Map();

/** Each source is asked for once; what only this page can read is handed over. */
function factsOf(url) {
  const plain = url.replace(/#.*$/, "");
  if (!known.has(plain)) known.set(plain, askFacts(plain));
  return known.get(plain);
}

async function askFacts(url) {
  if (!/^(blob|data):/.test(url)) return (await ask("facts", { url })).json();
  const body = await (await nativeFetch(url)).blob();
  const name = `inline:${options.token}:${known.size}:${body.size}`;
  return (await ask("bytes", { url: name }, { method: "POST", body })).json();
}

/** What an element has loaded. */
class Loading {
  constructor(element) {
    this.element = element;
    this.poster = isVideo(element) ? posters.get.call(element) : "";
    this.ownPoster = isVideo(element) ? element.getAttribute("poster") : null;
    this.autoplays = autoplays.get.call(element);
    this.preload = preloads.get.call(element);
    this.controls = controls.get.call(element);
    this.loading = null;
    this.callbacks = new Map();
    this.nextCallback = 1;
    this.presented = 0;
    this.rate = 1;
    this.defaultRate = 1;
    this.wasRead = false;
    this.calledFor = null;
    this.reset();
    this.key = undefined;
  }

  reset() {
    this.generation = (this.generation ?? 0) + 1;
    this.facts = null;
    this.url = "";
    this.readyState = NOTHING;
    this.networkState = EMPTY;
    this.error = null;
    this.offset = 0;
    this.since = null; // when it last began to play on from `offset`; null while it stands
    this.paused = true;
    this.seeking = null;
    this.hasMoved = false;
    this.hasSought = false;
    this.shown = "";
    this.picture = null;
    this.coming = null; // a promise of the next one
    this.updatedAt = 0;
    this.canAutoplay = true;
    this.isDriven = false; // a script plays it, whatever its attributes say
    this.starters = [];
  }

  get duration() {
    return this.facts ? this.facts.duration : NaN;
  }

  /** Seconds played from the source's beginning, loops and all. */
  get played() {
    const { since, offset, rate } = this;
    return since === null ? offset : Math.max(0, offset + (rate * (exactNow() - since)) / 1000);
  }

  /** Rounded up, so that what is due at a frame's exact time, or where a loop ends, is due. */
  get playedUs() {
    return Math.ceil(this.played * 1e6 - 1e-3);
  }

  get loops() {
    return this.element.loop && this.rate > 0;
  }

  get currentTime() {
    const { played, duration } = this;
    if (!(duration > 0)) return played;
    return this.loops ? played % duration : Math.min(played, duration);
  }

  get isOver() {
    return this.facts !== null && !this.loops && this.rate > 0 && this.played >= this.duration;
  }

  get showsOwnPoster() {
    return this.ownPoster !== null && !this.hasMoved;
  }

  fire(...types) {
    for (const type of types) this.element.dispatchEvent(new Event(type));
  }

  fireSoon(...types) {
    const { generation } = this;
    return Promise.resolve().then(() => {
      if (generation === this.generation) this.fire(...types);
    });
  }

  candidates() {
    const { element } = this;
    if (element.hasAttribute("src")) {
      return [{ url: element.src, node: element }];
    }
    const sources = [...element.children].filter((child) => child.localName === "source");
    return sources
      .filter((node) => node.src && (!node.type || element.canPlayType(node.type)))
      .map((node) => ({ url: node.src, node }));
  }

  /** Load what the element names by now, if that is not what it has. */
  refresh() {
    if (nativeStream.get.call(this.element)) return;
    const found = this.candidates();
    const key = found.map(({ url }) => url).join("\n");
    if (key !== this.key) this.load(found, key);
  }

  load(found, key) {
    this.key = key;
    const hadSource = this.networkState !== EMPTY;
    const wasPlaying = !this.paused && !hadSource; // play() came before the source
    this.reset();
    hooks.changed(this);
    if (hadSource) this.fireSoon("emptied");
    if (!found.length) return;
    this.networkState = LOADING;
    if (wasPlaying) this.start();
    this.loading = this.choose(found, this.generation);
  }

  async choose(found, generation) {
    const isOld = () => generation !== this.generation;
    if (this.autoplays && this.paused && !hooks.clipOf(this.element)) this.start();
    const reasons = [];
    for (const { url, node } of found) {
      try {
        const facts = await factsOf(url);
        if (isOld()) return;
        return await this.accept(facts, url, generation);
      } catch (error) {
        if (isOld()) return;
        this.refuse(url, node, error);
        reasons.push(error.message);
      }
    }
    this.note(found[0].url, reasons[0]);
    this.fail(`${found[0].url} cannot be played`);
  }

  note(url, why) {
    window[Symbol.for("framefarm.ready")].note(this.element.localName, url, why);
  }

  refuse(url, node, error) {
    console.warn(`${this.element.localName} ${url} cannot be played: ${error.message}`);
    this.facts = null;
    if (node !== this.element) node.dispatchEvent(new Event("error"));
  }

  fail(message) {
    this.readyState = NOTHING;
    this.networkState = NO_SOURCE;
    this.error = { code: 4, message, MEDIA_ERR_SRC_NOT_SUPPORTED: 4 };
    this.paused = true;
    this.since = null;
    for (const { reject } of this.starters.splice(0)) {
      reject(new DOMException(message, "NotSupportedError"));
    }
    this.fire("error");
  }

  async accept(facts, url, generation) {
    const fragment = /#t=(?:npt:)?([\d.]+)/.exec(url);
    const clip = hooks.clipOf(this.element);
    if (clip && !this.isDriven) this.offset = clip.seek;
    if (fragment && !this.hasSought) this.offset = Number(fragment[1]);
    this.facts = facts;
    this.url = url;
    if (this.hasPictures) await this.update();
    if (generation !== this.generation) return;
    this.networkState = IDLE;
    this.readyState = METADATA;
    this.fire("durationchange", "loadedmetadata");
    this.readyState = ENOUGH;
    this.fire("loadeddata", "canplay", "canplaythrough");
    hooks.changed(this);
    if (!this.paused) this.fire("playing");
    for (const { resolve } of this.starters.splice(0)) resolve();
  }

  get hasPictures() {
    return isVideo(this.element) && Boolean(this.facts?.hasPictures);
  }
}
