const born = Math.round(performance.now());
setTimeout(() => postMessage(1000 * born + Math.round(performance.now() - born)), 100);
