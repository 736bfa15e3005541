let count = 0;
export async function answerTo(data, port) {
  if (data.question === "tick") count++;
  await crypto.subtle.digest("SHA-256", new Uint8Array(1 << 16)); // real time, not the page's
  port.postMessage({ ...data, count, now: performance.now() });
}
