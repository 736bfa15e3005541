// Takes over Web Audio: a page's AudioContext draws its graph on a context that never sounds, and
// what is done to it is noted, with its time. At the end of the last chunk the notes are played on
// an OfflineAudioContext that is as long as the page. `projection.py` runs it after `sounds.js`.
() => {
  const media = window[Symbol.for("framefarm.media")];
  const book = window[Symbol.for("framefarm.sounds")];
  const KEY = Symbol.for("framefarm.graphs");
  const { OfflineAudioContext, BaseAudioContext, AudioNode, AudioParam } = window;
  const NS = 1e9;
  const RATE = 48_000;
  const CHANNELS = 2;
  const WAV_BYTES = 44;
  const LONGEST_S = 3600; // of floats that a page can hold
  const AT_ONCE_S = 1e-6;
  const CALLS = new Set(
    ("connect disconnect start stop setPeriodicWave setPosition setOrientation setValueAtTime " +
      "linearRampToValueAtTime exponentialRampToValueAtTime setTargetAtTime setValueCurveAtTime " +
      "cancelScheduledValues cancelAndHoldAtTime").split(" ")
  );
  // Which of a parameter's arguments is a time, which never lies before the call.
  const TIMES = {
    setValueAtTime: 1, linearRampToValueAtTime: 1, exponentialRampToValueAtTime: 1,
    setTargetAtTime: 1, setValueCurveAtTime: 1, cancelScheduledValues: 0, cancelAndHoldAtTime: 0,
  };

  const seconds = () => media.exactNow() / 1000;
  const toNs = (time) => Math.round(time * NS);
  const graphOf = new WeakMap(); // by its context
  const known = new WeakMap(); // nodes and parameters: { graph, id, param }
  const graphs = [];
  const natives = {};

  /** The notes of one context. Its own time stands while it is suspended. */
  class Graph {
    constructor(context, rate) {
      this.context = context;
      this.rate = rate;
      this.notes = [];
      this.modules = [];
      this.born = [];
      this.state = "running";
      this.spans = [{ at: seconds(), from: 0, until: null }];
      known.set(context.destination, { graph: this, id: "destination" });
      this.adoptParameters(context.listener, "listener");
      graphs.push(this);
    }

    timeAt(moment) {
      const { at, from, until } = this.spans.at(-1);
      return from + Math.max(0, (until ?? moment) - at);
    }

    get time() {
      return this.timeAt(seconds());
    }

    note(note) {
      this.notes.push({ ...note, at: this.time });
    }

    adopt(node, how) {
      const id = this.born.length;
      this.born.push(this.time);
      known.set(node, { graph: this, id });
      this.adoptParameters(node, id);
      this.note({ op: "make", id, how });
    }

    adoptParameters(owner, id) {
      for (let kind = Object.getPrototypeOf(owner); kind; kind = Object.getPrototypeOf(kind)) {
        for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(kind))) {
          const value = get && kind !== Object.prototype ? get.call(owner) : null;
          if (value instanceof AudioParam) known.set(value, { graph: this, id, param: name });
        }
      }
      owner.parameters?.forEach((value, name) => {
        known.set(value, { graph: this, id, param: name, isNamed: true });
      });
    }

    bornAt(id) {
      return this.born[id] ?? 0;
    }

    suspend(state) {
      if (this.state === "running") this.spans.at(-1).until = seconds();
      this.state = state;
    }

    resume() {
      if (this.state !== "suspended") return;
      this.spans.push({ at: seconds(), from: this.time, until: null });
      this.state = "running";
    }
  }

  // -- what a page finds

  function AudioContext(options) {
    if (!new.target) throw new TypeError("use 'new' to make an AudioContext");
    const rate = options?.sampleRate ?? RATE;
    const context = new OfflineAudioContext(CHANNELS, 1, rate);
    Object.setPrototypeOf(context, new.target.prototype);
    graphOf.set(context, new Graph(context, rate));
    return context;
  }

  const getters = {
    currentTime: (graph) => graph.time,
    state: (graph) => graph.state,
    baseLatency: () => 0,
    outputLatency: () => 0,
  };
  const methods = {
    resume: (graph) => graph.resume(),
    suspend: (graph) => graph.suspend("suspended"),
    close: (graph) => graph.suspend("closed"),
    setSinkId() {},
  };
  const prototype = Object.create(BaseAudioContext.prototype);
  for (const [name, read] of Object.entries(getters)) {
    const get = function () {
      return read(graphOf.get(this));
    };
    Object.defineProperty(prototype, name, { get, configurable: true, enumerable: true });
  }
  for (const [name, run] of Object.entries(methods)) {
    prototype[name] = function () {
      const before = this.state;
      run(graphOf.get(this));
      if (this.state !== before) queueMicrotask(() => this.dispatchEvent(new Event("statechange")));
      return Promise.resolve();
    };
  }
  Object.assign(prototype, {
    constructor: AudioContext,
    getOutputTimestamp() {
      return { contextTime: this.currentTime, performanceTime: performance.now() };
    },
    /** The element is heard by itself; the graph has nothing of it. */
    createMediaElementSource(mediaElement) {
      return Object.assign(this.createGain(), { mediaElement });
    },
    createMediaStreamSource(mediaStream) {
      return Object.assign(this.createGain(), { mediaStream });
    },
    createMediaStreamDestination() {
      return Object.assign(this.createGain(), { stream: new MediaStream() });
    },
  });
  AudioContext.prototype = prototype;
  // Decoded by the worker: the browser's own decoder answers at no time that can be told.
  BaseAudioContext.prototype.decodeAudioData = function (data, onDecoded, onFailed) {
    const decoding = decoded(data, this.sampleRate);
    if (onDecoded || onFailed) decoding.then(onDecoded, onFailed);
    return decoding;
  };

  async function decoded(data, rate) {
    const body = new Blob([data]);
    const reply = await media.ask("samples", { rate }, { method: "POST", body }).catch((error) => {
      throw new DOMException(`the sound cannot be decoded: ${error.message}`, "EncodingError");
    });
    const channels = Number(reply.headers.get("X-Channels"));
    const rows = new Float32Array(await reply.arrayBuffer());
    const length = rows.length / channels;
    const buffer = new AudioBuffer({ numberOfChannels: channels, length, sampleRate: rate });
    for (let channel = 0; channel < channels; channel++) {
      const samples = new Float32Array(length);
      for (let row = 0; row < length; row++) samples[row] = rows[row * channels + channel];
      buffer.copyToChannel(samples, channel);
    }
    return buffer;
  }

  // -- what is noted

  function noteFactories() {
    for (const name of Object.getOwnPropertyNames(BaseAudioContext.prototype)) {
      if (!name.startsWith("create")) continue;
      const before = BaseAudioContext.prototype[name];
      BaseAudioContext.prototype[name] = function (...given) {
        const made = before.apply(this, given);
        if (made instanceof AudioNode) graphOf.get(this)?.adopt(made, { factory: name, given });
        return made;
      };
    }
  }

  function noteKind(name, kind) {
    natives[name] = kind;
    for (const [key, about] of Object.entries(Object.getOwnPropertyDescriptors(kind.prototype))) {
      if (CALLS.has(key)) noteCall(kind.prototype, key);
      else if (about.set && !key.startsWith("on")) noteSetter(kind.prototype, key, about);
    }
    if (kind === AudioNode || kind === AudioParam) return;
    window[name] = new Proxy(kind, {
      construct(target, given, newTarget) {
        const node = Reflect.construct(target, given, newTarget);
        graphOf.get(given[0])?.adopt(node, { kind: name, given: given.slice(1) });
        return node;
      },
    });
  }

  function noteCall(owner, name) {
    const before = owner[name];
    owner[name] = function (...given) {
      const result = before.apply(this, given);
      const { graph, ...on } = known.get(this) ?? {};
      graph?.note({ op: name, on, given: given.map((each) => known.get(each) ?? each) });
      if (graph && (name === "start" || name === "stop")) expectEnd(graph, this, name, given);
      return result;
    };
  }

  function noteSetter(owner, name, about) {
    const set = function (value) {
      about.set.call(this, value);
      const { graph, ...on } = known.get(this) ?? {};
      graph?.note({ op: "set", on, name, value });
    };
    Object.defineProperty(owner, name, { ...about, set });
  }

  const ends = new WeakMap();

  /** Nothing sounds here, so nothing ends by itself. */
  function expectEnd(graph, node, name, [when = 0, from = 0, duration]) {
    const begins = Math.max(when, graph.time);
    let end = begins;
    if (name === "start") {
      if (!node.buffer || node.loop) return;
      end += (duration ?? node.buffer.duration - from) / node.playbackRate.value;
    }
    window.clearTimeout(ends.get(node));
    const wait = Math.max(0, end - graph.time) * 1000;
    ends.set(node, window.setTimeout(() => node.dispatchEvent(new Event("ended")), wait));
  }

  // -- the notes, played

  /** From when to when one node was connected to another, or to a parameter. */
  function connectionsOf(notes) {
    const found = [];
    for (const { op, on, given, at } of notes) {
      if (op === "connect") {
        const [to, output = 0, input = 0] = given;
        const same = (one) => one.until === Infinity && one.from === on.id && one.output === output
          && one.input === input && one.to.id === to.id && one.to.param === to.param;
        if (!found.some(same)) found.push({ from: on.id, to, output, input, at, until: Infinity });
      }
      if (op === "disconnect") for (const one of found) if (isCut(one, on.id, given)) one.until = at;
    }
    return found.filter(({ at, until }) => until > at);
  }

  function isCut(one, from, [what, output, input]) {
    if (one.from !== from || one.until !== Infinity) return false;
    if (typeof what === "number") return one.output === what;
    if (what === undefined) return true;
    const isThere = one.to.id === what.id && one.to.param === what.param;
    return isThere && (output ?? one.output) === one.output && (input ?? one.input) === one.input;
  }

  class Performance {
    constructor(graph, length) {
      this.graph = graph;
      this.context = new OfflineAudioContext(CHANNELS, length, graph.rate);
      this.nodes = { destination: this.context.destination, listener: this.context.listener };
      this.moved = new Set(); // parameters that have events
    }

    async play() {
      for (const url of this.graph.modules) await this.context.audioWorklet.addModule(url);
      for (const note of this.graph.notes) if (note.op === "make") this.make(note);
      for (const one of connectionsOf(this.graph.notes)) this.connect(one);
      for (const note of this.graph.notes) this.follow(note);
      return this.context.startRendering();
    }

    make({ id, how }) {
      const { factory, kind, given } = how;
      this.nodes[id] = factory
        ? this.context[factory](...given)
        : new natives[kind](this.context, ...given);
    }

    find({ id, param, isNamed }) {
      const node = this.nodes[id];
      if (param === undefined) return node;
      return isNamed ? node.parameters.get(param) : node[param];
    }

    /** A connection that does not stand from a node's beginning on passes a gate. */
    connect({ from, to, output, input, at, until }) {
      const isNode = to.param === undefined;
      const target = this.find(to);
      const link = (node, port) =>
        isNode ? node.connect(target, port, input) : node.connect(target, port);
      const isLate = at > this.graph.bornAt(from) + AT_ONCE_S;
      if (!isLate && until === Infinity) return void link(this.nodes[from], output);
      const gate = this.context.createGain();
      gate.gain.setValueAtTime(isLate ? 0 : 1, 0);
      if (isLate) gate.gain.setValueAtTime(1, at);
      if (until !== Infinity) gate.gain.setValueAtTime(0, until);
      this.nodes[from].connect(gate, output);
      link(gate, 0);
    }

    follow({ op, on, name, value, given, at }) {
      if (op === "make" || op === "connect" || op === "disconnect") return;
      const target = this.find(on);
      if (op === "set") this.set(target, { on, name, value, at });
      else if (on.param !== undefined) this.automate(target, op, given, at);
      else if (op === "start" || op === "stop") {
        target[op](Math.max(given[0] ?? 0, at), ...given.slice(1));
      } else target[op](...given);
    }

    set(target, { on, name, value, at }) {
      const isLate = at > this.graph.bornAt(on.id) + AT_ONCE_S;
      if (on.param === undefined || name !== "value") {
        if (isLate) console.warn(`Web Audio: ${name} is heard as it is set last, from the beginning`);
        target[name] = value;
      } else if (isLate) this.automate(target, "setValueAtTime", [value, at], at);
      else target.value = value;
    }

    automate(target, op, given, at) {
      const arguments_ = [...given];
      arguments_[TIMES[op]] = Math.max(given[TIMES[op]], at);
      if (op.includes("Ramp") && at > 0 && !this.moved.has(target)) {
        target.setValueAtTime(target.value, at); // a ramp begins where it is asked for
      }
      this.moved.add(target);
      target[op](...arguments_);
    }
  }

  /** A WAV file of floats. */
  function wavOf(buffer) {
    const { length, sampleRate } = buffer;
    const bytes = new ArrayBuffer(WAV_BYTES + length * CHANNELS * 4);
    const header = new DataView(bytes);
    const texts = [[0, "RIFF"], [8, "WAVEfmt "], [36, "data"]];
    for (const [at, text] of texts) {
      for (let k = 0; k < text.length; k++) header.setUint8(at + k, text.charCodeAt(k));
    }
    header.setUint32(4, bytes.byteLength - 8, true);
    header.setUint32(16, 16, true);
    header.setUint16(20, 3, true); // floats
    header.setUint16(22, CHANNELS, true);
    header.setUint32(24, sampleRate, true);
    header.setUint32(28, sampleRate * CHANNELS * 4, true);
    header.setUint16(32, CHANNELS * 4, true);
    header.setUint16(34, 32, true);
    header.setUint32(40, length * CHANNELS * 4, true);
    const rows = new Float32Array(bytes, WAV_BYTES);
    for (let channel = 0; channel < CHANNELS; channel++) {
      const samples = buffer.getChannelData(channel);
      for (let row = 0; row < length; row++) rows[row * CHANNELS + channel] = samples[row];
    }
    return new Blob([bytes]);
  }

  async function finishOne(graph, name, until) {
    const end = graph.timeAt(until);
    if (!graph.notes.some(({ op }) => op === "start") || !(end > 0)) return;
    if (end > LONGEST_S) throw new RangeError(`Web Audio of ${end} s; ${LONGEST_S} s can be`);
    const buffer = await new Performance(graph, Math.ceil(end * graph.rate)).play();
    const reply = await media.ask("bytes", { url: `graph:${name}` }, { method: "POST", body: wavOf(buffer) });
    const { source } = await reply.json();
    for (const span of graph.spans) {
      book.begin({
        source,
        url: "AudioContext",
        duration: toNs(end),
        since: toNs(span.at),
        from: toNs(span.from),
        begins: toNs(span.at),
        until: span.until === null ? null : toNs(span.until),
        rate: 1,
        keepsPitch: true,
        loops: false,
        fadeIn: 0,
        fadeOut: 0,
        volumes: [[toNs(span.at), 1]],
        isWhole: true,
      });
    }
  }

  // -- the page and its frames: the outermost document that can be reached asks all

  const members = [];
  let outcome = "";

  const ours = {
    join: (member) => members.push(member),
    isUsed: () => members.some((member) => member.count() > 0),
    /** Play all that was noted up to a moment; `outcome()` says when that is done. */
    begin(untilNs) {
      outcome = "";
      const all = members.map((member) => member.finish(untilNs / NS));
      Promise.all(all).then(
        () => (outcome = "done"),
        (error) => (outcome = `failed: ${error.message}`)
      );
    },
    outcome: () => outcome,
  };

  let home = ours;
  try {
    for (let around = window; around !== around.parent; around = around.parent) {
      home = around.parent[KEY] ?? home;
    }
  } catch (error) {
    if (error.name !== "SecurityError") throw error; // of another origin: it is on its own
  }
  const place = home.join({
    count: () => graphs.length,
    finish: (until) =>
      Promise.all(graphs.map((graph, index) => finishOne(graph, `${place}-${index}`, until))),
  });

  noteFactories();
  for (const name of Object.getOwnPropertyNames(window)) {
    const kind = /^[A-Z]\w*Node$|^AudioParam$/.test(name) ? window[name] : null;
    const isNode = kind?.prototype instanceof AudioNode || kind === AudioNode;
    if (isNode || kind === AudioParam) noteKind(name, kind);
  }
  const asMethods = {
    MediaElementAudioSourceNode: (context, from) =>
      context.createMediaElementSource(from.mediaElement),
    MediaStreamAudioSourceNode: (context, from) => context.createMediaStreamSource(from.mediaStream),
    MediaStreamAudioDestinationNode: (context) => context.createMediaStreamDestination(),
  };
  for (const [name, make] of Object.entries(asMethods)) {
    if (!window[name]) continue;
    window[name] = new Proxy(window[name], { construct: (_, given) => make(...given) });
  }
  if (window.AudioWorklet) {
    const before = AudioWorklet.prototype.addModule;
    AudioWorklet.prototype.addModule = function (url, ...given) {
      const graph = graphs.find(({ context }) => context.audioWorklet === this);
      graph?.modules.push(String(new URL(url, document.baseURI)));
      return before.call(this, url, ...given);
    };
  }
  window.AudioContext = AudioContext;
  if (window.webkitAudioContext) window.webkitAudioContext = AudioContext;
  Object.defineProperty(window, KEY, { value: ours });
}
