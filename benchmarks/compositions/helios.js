// Helios tells subscribers of each frame; CSS animations it moves by itself.
const helios = new HeliosCore.Helios({
  duration: SCENE.frames / SCENE.fps, fps: SCENE.fps, autoSyncAnimations: true,
});
window.helios = helios;
helios.subscribe((state) => show(Math.floor(state.currentFrame + 0.5)));
helios.bindToDocumentTimeline();
