// node render.mjs PAGE CONCURRENCY OUTPUT: bundles, opens, renders, as a program of its users would.
import { bundle } from "@remotion/bundler";
import { renderMedia, selectComposition } from "@remotion/renderer";

const [page, concurrency, outputLocation] = process.argv.slice(2);
const here = import.meta.dirname;
const serveUrl = await bundle({ entryPoint: `${here}/src/index.jsx`, publicDir: `${here}/public` });
const common = {
  serveUrl, browserExecutable: process.env.BENCH_BROWSER, chromiumOptions: { gl: null },
};
const composition = await selectComposition({ ...common, id: page });
await renderMedia({
  ...common, composition, outputLocation, concurrency: Number(concurrency),
  codec: "h264", crf: 18, x264Preset: "fast", pixelFormat: "yuv420p", imageFormat: "jpeg",
  muted: !composition.props.page.sound,
});
process.exit(0);
