// HyperFrames seeks a paused GSAP timeline; CSS animations it seeks by itself.
const time = { seconds: 0 };
const timeline = gsap.timeline({
  paused: true,
  onUpdate: () => show(Math.floor(timeline.time() * SCENE.fps + 0.5)),
});
const length = SCENE.frames / SCENE.fps;
timeline.to(time, { seconds: length, duration: length, ease: "none" }, 0);
window.__timelines = { ...window.__timelines, main: timeline };
