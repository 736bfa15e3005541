// The moving parts that want numbers: letters one by one, a curve, ripples out of the full stop.
// Every animation is CSS or Element.animate, so any moment of the piece can be shown alone.

const SWIFT_OUT = "cubic-bezier(0.16, 1, 0.3, 1)";
const SWIFT_IN_OUT = "cubic-bezier(0.76, 0, 0.24, 1)";

/** Put each letter of `element` in a mask of its own; return the letters. */
function splitLetters(element) {
  const text = element.firstChild;
  const letters = [...text.data].map((character) => {
    const letter = document.createElement("span");
    letter.className = "letter";
    letter.textContent = character;
    return letter;
  });
  const masks = letters.map((letter) => {
    const mask = document.createElement("span");
    mask.className = "mask";
    mask.append(letter);
    return mask;
  });
  text.replaceWith(...masks);
  return letters;
}

/** Let letters rise one after the other from `delay` seconds on. */
function raise(letters, { delay, stagger, duration }) {
  letters.forEach((letter, i) => {
    letter.animate([{ transform: "translateY(112%) rotate(7deg)" }, { transform: "none" }], {
      delay: (delay + i * stagger) * 1000,
      duration: duration * 1000,
      easing: SWIFT_OUT,
      fill: "backwards",
    });
  });
}

/** A damped wave between the margins of the stage, as the data of an SVG path. */
function wave() {
  const points = Array.from({ length: 273 }, (_, i) => {
    const x = 96 + i * 4;
    const u = i / 272;
    const y = 540 - 118 * Math.sin(u * 5.5 * Math.PI) * (1 - u) ** 0.85;
    return `${x} ${y.toFixed(2)}`;
  });
  return `M${points.join("L")}`;
}

/** Open `layer` as a growing circle around the full stop. */
function openFrom(origin, layer, { delay, duration }) {
  // Offsets, unlike getBoundingClientRect, leave out the animation that the dot falls by.
  const { offsetParent: line, offsetLeft, offsetTop, offsetWidth, offsetHeight } = origin;
  const x = (line.offsetLeft + offsetLeft + offsetWidth / 2) / layer.offsetWidth;
  const y = (line.offsetTop + offsetTop + offsetHeight / 2) / layer.offsetHeight;
  const at = `at ${x * 100}% ${y * 100}%`;
  layer.animate([{ clipPath: `circle(0 ${at})` }, { clipPath: `circle(110% ${at})` }], {
    delay: delay * 1000,
    duration: duration * 1000,
    easing: SWIFT_IN_OUT,
    fill: "both",
  });
}

/** The frames of the mark come up along its diagonals; the glowing one comes last. */
function fillMark(cells) {
  cells.forEach((cell, i) => {
    const diagonal = (i % 3) + Math.floor(i / 3);
    const last = i === 4;
    cell.animate([{ transform: "scale(0)", opacity: 0 }, { transform: "none", opacity: 1 }], {
      delay: last ? 5150 : 4450 + diagonal * 90,
      duration: last ? 500 : 600,
      easing: last ? "cubic-bezier(0.34, 1.56, 0.64, 1)" : SWIFT_OUT,
      fill: "backwards",
    });
  });
}

document.querySelectorAll(".scene-page .stroke").forEach((stroke, i) => {
  stroke.style.setProperty("--i", i);
});
document.querySelector(".curve").setAttribute("d", wave());

for (const line of document.querySelectorAll(".line")) {
  raise(splitLetters(line), { delay: Number(line.dataset.enter), stagger: 0.045, duration: 0.9 });
}
raise(splitLetters(document.querySelector(".wordmark")), {
  delay: 4.5,
  stagger: 0.04,
  duration: 0.85,
});

const fullStop = document.querySelector(".full-stop");
openFrom(fullStop, document.querySelector(".ripple"), { delay: 4.05, duration: 0.75 });
openFrom(fullStop, document.querySelector(".lockup"), { delay: 4.2, duration: 0.75 });
fillMark([...document.querySelectorAll(".mark i")]);
