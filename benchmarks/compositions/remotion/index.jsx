import { registerRoot, Composition } from "remotion";
import { Scene } from "./scene";
import pages from "./pages.json";

const Root = () => pages.map((page) => (
  <Composition
    key={page.name} id={page.name} component={Scene} defaultProps={{ page }}
    width={page.width} height={page.height} fps={page.fps} durationInFrames={page.frames}
  />
));

registerRoot(Root);
