// Draws lines and points from the numbers beside each chart, in the colours of the theme. A chart's element
// names the element with its numbers in data-curves: {x, y, series, marks, now}, see the pages that write them.
(() => {
  const COLOURS = ["#209a89", "#3b82f6", "#f59e0b", "#8b5cf6", "#ef4444", "#84cc16", "#ec4899", "#06b6d4", "#a16207", "#6366f1", "#94a3b8"];
  const NARROW = 600;
  const DAY_MS = 86400000;
  const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
  const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

  const colourOf = (place, name) => {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    place.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };

  const axis = (each, colours) => ({
    type: each.type, name: each.name, nameTextStyle: { color: colours.soft },
    axisLine: { lineStyle: { color: colours.line } },
    axisLabel: { color: colours.soft, hideOverlap: true, formatter: each.type === "time" ? undefined : (value) => short.format(value) },
    splitLine: { lineStyle: { color: colours.line } },
  });

  const said = (drawn, point) => {
    const [x, y, about] = point.data;
    const at = drawn.x.type === "time" ? new Date(x).toISOString().slice(0, 10) : `${number.format(x)} ${drawn.x.name}`;
    return `${point.marker}${about || point.seriesName}\n${at}: ${number.format(y)} ${drawn.y.name}`;
  };

  const seriesOf = (colours) => (each, place) => ({
    name: each.name, data: each.points, color: each.is_plain ? colours.ink : COLOURS[(each.colour ?? place) % COLOURS.length],
    type: each.kind === "points" ? "scatter" : "line",
    step: each.kind === "steps" ? "end" : undefined,
    symbol: each.kind === "dashes" ? "none" : "circle", symbolSize: each.kind === "line" ? 5 : 7,
    lineStyle: { type: each.kind === "dashes" ? "dashed" : "solid", width: each.kind === "dashes" ? 1.5 : 2.5 },
    z: each.kind === "dashes" ? 3 : 2,
  });

  // Crossings, and a line at the present quantity, are series of their own so that they keep their places.
  const added = (drawn, colours) => {
    const found = [];
    if (drawn.marks?.length) {
      found.push({
        name: "crossing", type: "scatter", data: drawn.marks, symbolSize: 11, color: colours.ink, z: 5,
        label: { show: true, position: "top", color: colours.ink, formatter: (point) => number.format(point.data[0]) }, labelLayout: { hideOverlap: true },
      });
    }
    if (drawn.now) {
      found.push({
        name: drawn.now.name, type: "line", data: [],
        markLine: {
          silent: true, symbol: "none", lineStyle: { color: colours.soft, type: "dotted" },
          label: { color: colours.soft, formatter: drawn.now.name }, data: [{ xAxis: drawn.now.at }],
        },
      });
    }
    return found;
  };

  const options = (place, drawn) => {
    const colours = Object.fromEntries(["soft", "line", "ink", "paper"].map((name) => [name, colourOf(place, `--c-${name}`)]));
    const isNarrow = place.clientWidth < NARROW;
    const named = drawn.series.map((each) => each.name);
    return {
      animation: false,
      aria: { enabled: true },
      textStyle: { fontFamily: getComputedStyle(place).fontFamily },
      grid: { left: 8, right: isNarrow ? 16 : 32, top: 72, bottom: drawn.x.name ? 32 : 8, containLabel: true },
      legend: {
        data: named, type: "scroll", top: 0, left: 0, right: 0, textStyle: { color: colours.ink, width: isNarrow ? 120 : 240, overflow: "truncate" },
        inactiveColor: colours.line, pageTextStyle: { color: colours.soft }, pageIconColor: colours.soft, pageIconInactiveColor: colours.line,
      },
      tooltip: {
        trigger: "item", renderMode: "richText", confine: true, backgroundColor: colours.paper, borderColor: colours.line,
        textStyle: { color: colours.ink, fontSize: 12 }, formatter: (point) => said(drawn, point),
      },
      xAxis: { ...axis(drawn.x, colours), nameLocation: "middle", nameGap: 28, minInterval: drawn.x.type === "time" ? DAY_MS : undefined, splitNumber: isNarrow ? 3 : 6 },
      yAxis: { ...axis(drawn.y, colours), nameTextStyle: { color: colours.soft, align: "left" } },
      series: [...drawn.series.map(seriesOf(colours)), ...added(drawn, colours)],
    };
  };

  const draw = (place) => {
    const drawn = JSON.parse(document.getElementById(place.dataset.curves).textContent);
    const chart = echarts.init(place);
    const show = () => chart.setOption(options(place, drawn), true);
    show();
    new ResizeObserver(() => { chart.resize(); show(); }).observe(place);
    new MutationObserver(show).observe(document.documentElement, { attributeFilter: ["class"] });
  };

  const start = () => document.querySelectorAll("[data-curves]").forEach(draw);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
