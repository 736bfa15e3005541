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

function ahead() {
  const { buffered, currentTime } = video;
  return buffered.length ? buffered.end(buffered.length - 1) - currentTime : 0;
}

async function play() {
  const film = await begun();
  const type = `video/mp4; codecs="${/CODECS="([^"]+)"/.exec(film)[1]}"`;
  if (!("MediaSource" in window) || !MediaSource.isTypeSupported(type)) {
    video.src = "film.m3u8"; // a browser that plays it by itself
    status.textContent = `This browser may not play ${type}.`;
    return;
  }
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await happened(source, "sourceopen");
  const buffer = source.addSourceBuffer(type);
  await append(buffer, "head.mp4");
  for (let shown = 0; ; ) {
    const list = await text("video.m3u8");
    if (list === null) throw new Error("the preview is gone");
    const names = list.split("\n").filter((line) => line && !line.startsWith("#"));
    for (; shown < names.length; shown += 1) {
      while (ahead() > AHEAD_S) await pause(POLL_MS);
      await append(buffer, names[shown]);
    }
    const isOver = list.includes("#EXT-X-ENDLIST");
    status.textContent = isOver
      ? "All that was rendered."
      : `${names.length} chunks are finished, from the beginning on. Sound comes with the file.`;
    if (isOver) break;
    await pause(POLL_MS);
  }
  source.endOfStream();
}

play().catch((error) => {
  status.textContent = `The preview stopped: ${error.message}`;
});
