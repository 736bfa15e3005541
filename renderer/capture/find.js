// The first element that a selector finds: in the document, or in its open shadow roots.
(selector) => {
  const trees = [document];
  for (let tree = trees.shift(); tree !== undefined; tree = trees.shift()) {
    const found = tree.querySelector(selector);
    if (found) return found;
    for (const element of tree.querySelectorAll("*")) {
      if (element.shadowRoot) trees.push(element.shadowRoot);
    }
  }
  return null;
}
