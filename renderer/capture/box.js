// Where the element stands in the viewport.
(find, selector) => {
  try {
    const element = find(selector);
    if (!element) return { problem: "no element of the page matches it" };
    if (!element.getClientRects().length) return { problem: "it has no box, as by display: none," };
    const { left, top, right, bottom } = element.getBoundingClientRect();
    return { left, top, right, bottom };
  } catch (error) {
    if (error.name === "SyntaxError") return { problem: error.message };
    throw error;
  }
}
