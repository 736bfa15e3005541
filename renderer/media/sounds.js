// What a page's elements let be heard, and when, in whole nanoseconds of the timeline: passages, in
// which an element plays one source on at one rate. `projection.py` runs it after `takeover.js`.
() => {
  const media = window[Symbol.for("framefarm.media")];
  const KEY = Symbol.for("framefarm.sounds");
  const NS = 1e9;
  const NEAR_NS = 1e6; // an element that is set to where it is plays on
  const MOST_PASSAGES = 10_000; // that are of interest at once
  const ENOUGH = 4;

  const now = () => Math.round(media.exactNow() * 1e6);
  const toNs = (seconds) => Math.round(seconds * NS);

  // -- the book of passages: the outermost document that can be reached keeps it

  const passages = [];
  const outer = () => {
    try {
      return window === parent ? null : (parent[KEY] ?? null);
    } catch (error) {
      if (error.name !== "SecurityError") throw error;
      return null; // of another origin: nobody asks there
    }
  };

  const book = {
    begin(passage) {
      const above = outer();
      if (above) return above.begin(passage);
      passages.push(passage);
      return passage;
    },
    /** What was heard at `fromNs` and since; volumes begin with the one of that time. */
    report(fromNs) {
      const told = passages.filter(
        ({ until, isWhole }) => isWhole || until === null || until >= fromNs
      );
      if (told.length > MOST_PASSAGES) {
        throw new RangeError(`a chunk has ${told.length} sounds; at most ${MOST_PASSAGES} can be`);
      }
      return told.map((passage) => ({ ...passage, volumes: volumesFrom(passage, fromNs) }));
    },
  };

  function volumesFrom({ volumes }, fromNs) {
    const later = volumes.filter(([at]) => at > fromNs);
    const before = volumes.filter(([at]) => at <= fromNs).at(-1);
    return before ? [before, ...later] : later;
  }

  // -- what an element says by its attributes

  const attribute = (element, name) =>
    element.getAttribute(`data-framefarm-${name}`) ?? element.getAttribute(`data-helios-${name}`);

  /** Seconds, written like 2, 2s or 500ms. */
  function secondsOf(element, name) {
    const text = attribute(element, name);
    if (text === null) return 0;
    const [, number, unit] = /^\s*([+-]?\d*\.?\d+)\s*(ms|s)?\s*$/.exec(text) ?? [];
    if (number !== undefined) return Number(number) / (unit === "ms" ? 1000 : 1);
    console.warn(`data-framefarm-${name}="${text}" is no time; write it like 2s or 500ms`);
    return 0;
  }

  /** An element with an offset, or a place to begin, plays by itself. */
  function clipOf(element) {
    if (attribute(element, "offset") === null && attribute(element, "seek") === null) return null;
    return {
      offset: secondsOf(element, "offset"),
      seek: Math.max(0, secondsOf(element, "seek")),
    };
  }

  // -- elements

  const records = new WeakMap();
  const recordOf = (state) => {
    if (!records.has(state)) {
      records.set(state, { open: null, isTold: false, seenAt: 0, generation: -1, isThere: false });
    }
    return records.get(state);
  };

  /** Since when an element stands there with its source; when that has come is another matter. */
  function look(state, record) {
    const isThere = state.element.isConnected;
    const isNew = record.generation !== state.generation || (isThere && !record.isThere);
    if (isNew) record.seenAt = now();
    Object.assign(record, { generation: state.generation, isThere });
  }

  const volumeOf = ({ muted, volume }) => (muted ? 0 : volume);

  /** Where in its source an element is from when on, if it is heard at all. */
  function lineOf(state) {
    const { element, facts } = state;
    if (state.readyState !== ENOUGH || attribute(element, "no-audio") !== null) return null;
    const clip = clipOf(element);
    if (clip ? !element.isConnected : state.since === null) return null;
    if (!facts.hasSound) return void tellOfSilence(state);
    return {
      source: facts.source,
      url: state.url.replace(/^(data:[^,;]*).*/s, "$1"),
      duration: toNs(facts.duration),
      since: clip ? toNs(clip.offset) : Math.round(state.since * 1e6),
      from: toNs(clip ? clip.seek : state.offset),
      rate: state.rate,
      keepsPitch: element.preservesPitch,
      loops: state.loops,
    };
  }

  function tellOfSilence(state) {
    const record = recordOf(state);
    if (record.isTold || !volumeOf(state.element)) return;
    record.isTold = true;
    const why = "it holds no sound; mute it if that is meant";
    window[Symbol.for("framefarm.ready")].note(state.element.localName, state.url, why);
  }

  const placeIn = ({ since, from, rate }, at) => from + rate * (at - since);

  function goesOn(open, line, at) {
    const same = ["source", "rate", "keepsPitch", "loops"].every((key) => open[key] === line[key]);
    if (!same) return false;
    const apart = Math.abs(placeIn(open, at) - placeIn(line, at));
    const rest = line.loops && line.duration > 0 ? apart % line.duration : apart;
    return rest < NEAR_NS || (line.loops && line.duration - rest < NEAR_NS);
  }

  function begin(state, line, isJoined) {
    const { element } = state;
    const begins = clipOf(element) ? Math.max(line.since, recordOf(state).seenAt) : line.since;
    return book.begin({
      ...line,
      begins,
      until: null,
      fadeIn: isJoined ? 0 : Math.max(0, toNs(secondsOf(element, "fade-in"))),
      fadeOut: Math.max(0, toNs(secondsOf(element, "fade-out"))),
      volumes: [[begins, volumeOf(element)]],
    });
  }

  function end(open, at, isJoined) {
    const natural = open.since + (open.duration - open.from) / open.rate;
    open.until = Math.max(open.begins, open.loops ? at : Math.min(at, Math.round(natural)));
    if (isJoined) open.fadeOut = 0;
  }

  function keepVolume({ volumes, begins }, factor, at) {
    const last = volumes.at(-1);
    if (last[1] === factor) return;
    if (last[0] >= at || at <= begins) last[1] = factor;
    else volumes.push([at, factor]);
  }

  /** A loop that is switched off ends its round, and no more. */
  function keepRound(state, open) {
    if (state.since === null || state.loops === open.loops || !(open.duration > 0)) return;
    const place = placeIn(open, now());
    state.moveTo((open.loops ? place % open.duration : place) / NS);
  }

  function onChange(state) {
    const record = recordOf(state);
    const { open } = record;
    look(state, record);
    if (open) keepRound(state, open);
    follow(state);
    const line = lineOf(state) ?? null;
    const at = now();
    if (!open || !line || !goesOn(open, line, at)) {
      if (open) end(open, at, line !== null);
      record.open = line && begin(state, line, open !== null);
    }
    if (record.open) keepVolume(record.open, volumeOf(state.element), at);
  }

  /** Begin what an element's attributes say it plays, when its time has come. */
  function follow(state) {
    const clip = clipOf(state.element);
    if (!clip || state.isDriven || !state.paused || state.readyState !== ENOUGH) return;
    const isDue = now() >= toNs(clip.offset) && !state.isOver && state.element.isConnected;
    if (isDue && state.offset === clip.seek) state.follow(clip);
  }

  for (const name of ["volume", "muted", "loop"]) {
    const before = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, name);
    Object.defineProperty(HTMLMediaElement.prototype, name, {
      ...before,
      set(value) {
        before.set.call(this, value);
        const state = media.find(this);
        if (state) onChange(state);
      },
    });
  }

  window.addEventListener("pagehide", () => {
    for (const state of media.states()) {
      const { open } = recordOf(state);
      if (open) end(open, now(), false);
      recordOf(state).open = null;
    }
  });

  Object.assign(media.hooks, { changed: onChange, clipOf });
  Object.defineProperty(window, KEY, { value: book });
}
