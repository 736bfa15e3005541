// node render.mjs INDEX OUTPUT MODE WIDTH HEIGHT FPS FRAMES
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { Renderer } from "@helios-project/renderer";

const [index, output, mode, width, height, fps, frames] = process.argv.slice(2);
await build({
  entryPoints: ["@helios-project/core"], bundle: true, format: "iife", globalName: "HeliosCore",
  outfile: `${dirname(index)}/helios-core.js`, absWorkingDir: import.meta.dirname, logLevel: "error",
});
const renderer = new Renderer({
  width: Number(width), height: Number(height), fps: Number(fps), frameCount: Number(frames),
  durationInSeconds: Number(frames) / Number(fps), mode, crf: 18, preset: "fast",
  ffmpegPath: "ffmpeg", browserConfig: { executablePath: process.env.BENCH_BROWSER },
});
await renderer.render(pathToFileURL(index).href, output);
process.exit(0);
