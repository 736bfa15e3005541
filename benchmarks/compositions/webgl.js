// A frame of the WebGL page: a shaded background and 400 turning triangles, a function of the frame.
function openTriangles(canvas, { fps, shapes }) {
  const gl = canvas.getContext("webgl", { antialias: false });
  const sky = program(gl, "attribute vec2 at; void main() { gl_Position = vec4(at, 0., 1.); }", `
    uniform vec2 size; uniform float seconds;
    void main() {
      vec2 at = gl_FragCoord.xy / size;
      float wave = .5 + .5 * sin(6. * at.x + 4. * at.y + seconds);
      gl_FragColor = vec4(mix(vec3(.08, .13, .24), vec3(.95, .76, .31), wave * at.y), 1.);
    }`);
  const cloud = program(gl, `
    attribute vec4 shape; attribute vec3 corner; uniform vec2 size; uniform float seconds;
    varying float hue;
    void main() {
      float angle = corner.z * seconds;
      mat2 turn = mat2(cos(angle), sin(angle), -sin(angle), cos(angle));
      vec2 drift = 60. * vec2(sin(angle + shape.w), cos(angle + shape.w));
      vec2 px = shape.xy * size + drift + turn * (corner.xy * shape.z);
      hue = shape.w;
      gl_Position = vec4(2. * px / size - 1., 0., 1.);
    }`, `
    varying float hue;
    void main() { gl_FragColor = vec4(.55 + .4 * cos(hue + vec3(0., 2.1, 4.2)), 1.); }`);
  const quad = buffer(gl, [-1, -1, 1, -1, -1, 1, 1, 1]);
  const corners = [[0, 1], [1, -1], [-1, -1]];
  const vertices = buffer(gl, shapes.flatMap((shape) => corners.flatMap(([x, y]) =>
    [shape.x, shape.y, shape.size, shape.phase, x, y, shape.speed])));
  return (frame) => {
    gl.viewport(0, 0, canvas.width, canvas.height);
    use(gl, sky, canvas, frame / fps);
    feed(gl, sky, quad, [["at", 2]]);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    use(gl, cloud, canvas, frame / fps);
    feed(gl, cloud, vertices, [["shape", 4], ["corner", 3]]);
    gl.drawArrays(gl.TRIANGLES, 0, 3 * shapes.length);
  };
}

function program(gl, vertex, fragment) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, `precision highp float;${source}`);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw Error(gl.getProgramInfoLog(made));
  return made;
}

function buffer(gl, numbers) {
  const made = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, made);
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(numbers), gl.STATIC_DRAW);
  return made;
}

function use(gl, made, canvas, seconds) {
  gl.useProgram(made);
  gl.uniform2f(gl.getUniformLocation(made, "size"), canvas.width, canvas.height);
  gl.uniform1f(gl.getUniformLocation(made, "seconds"), seconds);
}

function feed(gl, made, from, attributes) {
  const stride = 4 * attributes.reduce((sum, [, length]) => sum + length, 0);
  gl.bindBuffer(gl.ARRAY_BUFFER, from);
  let offset = 0;
  for (const [name, length] of attributes) {
    const place = gl.getAttribLocation(made, name);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, length, gl.FLOAT, false, stride, offset);
    offset += 4 * length;
  }
}
