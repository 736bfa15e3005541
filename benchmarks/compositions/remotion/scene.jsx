import { useLayoutEffect, useRef } from "react";
import { AbsoluteFill, Audio, Easing, staticFile, useCurrentFrame } from "remotion";
import { drawShapes } from "./canvas";

const FONT = '"DejaVu Sans", sans-serif';
const SKY = "linear-gradient(160deg, #14213d, #3a5a98 45%, #f2c14e)";
const inOut = Easing.bezier(0.42, 0, 0.58, 1); // CSS' ease-in-out

export const Scene = ({ page }) => {
  const frame = useCurrentFrame();
  const Content = CONTENTS[page.kind];
  return (
    <AbsoluteFill style={{ fontFamily: FONT, overflow: "hidden" }}>
      <Content page={page} frame={frame} />
      <Row number={Math.floor(frame / page.frames_a_number)} bits={page.bits} top={0} />
      <Row number={Math.floor(frame / page.frames_a_number)} bits={page.bits} top={24} />
      {page.sound ? <Audio src={staticFile(page.sound)} /> : null}
    </AbsoluteFill>
  );
};

const Row = ({ number, bits, top }) => (
  <div style={{ position: "absolute", left: 0, top, height: 24, display: "flex", zIndex: 9 }}>
    {Array.from({ length: 2 * bits }, (_, place) => {
      const bit = (number >> (place % bits)) & 1;
      const isOn = bit === (place < bits ? 1 : 0);
      return <i key={place} style={{
        display: "block", width: 24, height: 24, background: isOn ? "#fff" : "#000",
      }} />;
    })}
  </div>
);

const Movers = ({ page, frame }) => {
  const seconds = frame / page.fps;
  const sway = thereAndBack(seconds, 2.4);
  return (
    <AbsoluteFill style={{ background: SKY }}>
      <div style={{
        position: "absolute", left: 0, right: 0, top: "40%", textAlign: "center", color: "#fff",
        fontSize: 76, fontWeight: 700,
        transform: `translateX(${-200 + 400 * sway}px) scale(${0.75 + 0.5 * sway})`,
      }}>{page.title}</div>
      {page.movers.map((mover, index) => {
        const way = thereAndBack(seconds + mover.head_start_s, mover.period_s);
        return <div key={index} style={{
          position: "absolute", left: `${mover.left}%`, top: `${mover.top}%`,
          width: mover.side, height: mover.side, background: `hsl(${mover.hue} 75% 58%)`,
          borderRadius: mover.is_round ? "50%" : 4,
          transform: `translate(${mover.right * way}px, ${mover.down * way}px)`
            + ` rotate(${mover.turn * way}deg) scale(${0.6 + 0.7 * way})`,
        }} />;
      })}
    </AbsoluteFill>
  );
};

const Text = ({ page }) => (
  <AbsoluteFill style={{ background: "#fbf9f4", color: "#23262b" }}>
    <h1 style={{ position: "absolute", left: 56, top: 84, fontSize: 46, margin: 0 }}>
      {page.title}
    </h1>
    <div style={{
      position: "absolute", left: 56, right: 56, top: 168, fontSize: 20, lineHeight: 1.5,
      columnCount: 2,
    }}>
      {page.paragraphs.map((text, index) => <p key={index} style={{ margin: "0 0 1em" }}>{text}</p>)}
    </div>
  </AbsoluteFill>
);

const Canvas = ({ page, frame }) => {
  const canvas = useRef(null);
  useLayoutEffect(() => drawShapes(canvas.current.getContext("2d"), page, frame), [page, frame]);
  return <canvas ref={canvas} width={page.width} height={page.height} />;
};

const CONTENTS = { dom: Movers, text: Text, canvas: Canvas };

function thereAndBack(seconds, period) {
  const way = (seconds / period) % 2;
  return inOut(way < 1 ? way : 2 - way);
}
