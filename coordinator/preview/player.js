// Plays what is finished of a film, and goes on as more is. Fetches the playlists by itself: few
// browsers play HLS, and all play what is in it.
"use strict";

const POLL_MS = 500;
const AHEAD_S = 60; // no more than this is fetched before it is shown
const BEHIND_S = 20;

const video = document.querySelector("video");
const status = document.querySelector("[role=status]");

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function text(name) {
  const answer = await fetch(name, { cache: "no-store" });
  return answer.ok ? answer.text() : null;
}

async function begun() {
  for (;;) {
    const film = await text("film.m3u8");
    if (film !== null) return film;
    await pause(POLL_MS);
  }
}

function happened(target, kind) {
  return new Promise((resolve, reject) => {
    target.addEventListener(kind, resolve, { once: true });
    target.addEventListener("error", () => reject(new Error(`${kind} failed`)), { once: true });
  });
}

async function append(buffer, name) {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  const bytes = await answer.arrayBuffer();
  for (;;) {
    try {
      buffer.appendBuffer(bytes);
      return happened(buffer, "updateend");
    } catch (error) {
      if (error.name !== "QuotaExceededError") throw error;
    }
    const seen = video.currentTime - BEHIND_S;
    if (seen > 0) {
      buffer.remove(0, seen);
      await happened(buffer, "updateend");
    }
    await pause(POLL_MS);
  }
}

function ahead(buffer) {
  const { buffered } = buffer;
  return buffered.length ? buffered.end(buffered.length - 1) - video.currentTime : 0;
}

/** Appends what there is of a stream, and tells how many segments that are, until it is over. */
async function follow(buffer, head, list, tell) {
  await append(buffer, head);
  for (let shown = 0; ; ) {
    const listed = await text(list);
    if (listed === null) throw new Error("the preview is gone");
    const names = listed.split("\n").filter((line) => line && !line.startsWith("#"));
    for (; shown < names.length; shown += 1) {
      while (ahead(buffer) > AHEAD_S) await pause(POLL_MS);
      await append(buffer, names[shown]);
    }
    tell(names.length);
    if (listed.includes("#EXT-X-ENDLIST")) return;
    await pause(POLL_MS);
  }
}

function tellFinished(count) {
  status.textContent = `${count} chunks are finished, from the beginning on.`;
}

async function play() {
  const film = await begun();
  const [codec, soundCodec] = /CODECS="([^"]+)"/.exec(film)[1].split(",");
  const types = { video: `video/mp4; codecs="${codec}"` };
  if (soundCodec) types.sound = `audio/mp4; codecs="${soundCodec}"`;
  const isPlayed = (type) => window.MediaSource?.isTypeSupported(type);
  if (!isPlayed(types.video)) {
    video.src = "film.m3u8"; // a browser that plays it by itself
    status.textContent = `This browser may not play ${types.video}.`;
    return;
  }
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await happened(source, "sourceopen");
  const pictures = source.addSourceBuffer(types.video);
  const streams = [() => follow(pictures, "head.mp4", "video.m3u8", tellFinished)];
  if (types.sound && isPlayed(types.sound)) {
    const sound = source.addSourceBuffer(types.sound);
    streams.push(() => follow(sound, "sound-head.mp4", "sound.m3u8", () => {}));
  }
  await Promise.all(streams.map((stream) => stream()));
  status.textContent = "All that was rendered.";
  source.endOfStream();
}

play().catch((error) => {
  status.textContent = `The preview stopped: ${error.message}`;
});
