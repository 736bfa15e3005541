// What the chart shows without props: an invented series, so that the page opens in any browser.

const SAMPLE = {
  title: "A series that makes up its mind",
  subtitle: "Invented values, to show the chart without props",
  unit: "pt",
  meanSpan: 8,
  meanLabel: "eight-year mean",
  note: "the highest value",
  source: "Source: none. Pass your own with --props @examples/data-chart/props.json",
  firstYear: 1950,
  values: Array.from({ length: 72 }, (_, i) => {
    const trend = 2.4 * (i / 71) ** 2 - 0.7;
    return Number((trend + 0.45 * Math.sin(i * 0.9) + 0.3 * Math.sin(i * 2.3)).toFixed(2));
  }),
};
