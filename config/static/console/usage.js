// Draws the usage explorer's chart from the numbers beside it, in the colours of the theme.
(() => {
  const COLOURS = ["#209a89", "#3b82f6", "#f59e0b", "#8b5cf6", "#ef4444", "#84cc16", "#ec4899", "#06b6d4", "#a16207", "#6366f1", "#94a3b8"];
  const NARROW = 600;

  // Names that fit beside the chart. Two that begin alike are told apart by their place.
  const shortened = (names, lengthMax) => {
    const found = [];
    for (const [place, name] of names.entries()) {
      const letters = [...name];
      const short = letters.length > lengthMax ? `${letters.slice(0, lengthMax - 1).join("")}…` : name;
      found.push(found.includes(short) ? `${short} (${place + 1})` : short);
    }
    return found;
  };

  const colourOf = (place, name) => {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    place.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };

  const options = (place, drawn) => {
    const soft = colourOf(place, "--c-soft");
    const line = colourOf(place, "--c-line");
    const ink = colourOf(place, "--c-ink");
    const paper = colourOf(place, "--c-paper");
    const hasNames = drawn.series.length > 1;
    const names = shortened(drawn.series.map((each) => each.name), place.clientWidth < NARROW ? 14 : 28);
    const number = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });
    const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
    return {
      animation: false,
      color: COLOURS,
      aria: { enabled: true },
      textStyle: { fontFamily: getComputedStyle(place).fontFamily },
      grid: { left: 8, right: 16, top: hasNames ? 48 : 24, bottom: drawn.labels.length > 60 ? 48 : 8, containLabel: true },
      legend: {
        show: hasNames, type: "scroll", top: 0, left: 0, right: 0,
        textStyle: { color: ink }, inactiveColor: line, pageTextStyle: { color: soft }, pageIconColor: soft, pageIconInactiveColor: line,
      },
      tooltip: {
        trigger: "axis", renderMode: "richText", confine: true, backgroundColor: paper, borderColor: line,
        textStyle: { color: ink, fontSize: 12 },
        valueFormatter: (value) => (value == null ? "–" : number.format(value)),
      },
      xAxis: {
        type: "category", data: drawn.labels, axisLine: { lineStyle: { color: line } }, axisTick: { show: false },
        axisLabel: { color: soft, hideOverlap: true },
      },
      yAxis: {
        type: "value", axisLabel: { color: soft, formatter: (value) => short.format(value) },
        splitLine: { lineStyle: { color: line } },
      },
      dataZoom: drawn.labels.length > 60
        ? [{ type: "slider", height: 18, bottom: 8, borderColor: line, textStyle: { color: soft }, brushSelect: false, showDetail: false }]
        : [],
      series: drawn.series.map((each, index) => ({
        name: names[index], data: each.values, type: drawn.is_stacked ? "bar" : "line",
        stack: drawn.is_stacked ? "all" : undefined, symbolSize: 5, large: drawn.labels.length > 500 && !hasNames,
      })),
    };
  };

  const draw = () => {
    const place = document.getElementById("usage-chart");
    if (!place) return;
    const drawn = JSON.parse(document.getElementById("usage-chart-values").textContent);
    const chart = echarts.init(place);
    const show = () => chart.setOption(options(place, drawn), true);
    show();
    new ResizeObserver(() => { chart.resize(); show(); }).observe(place);
    new MutationObserver(show).observe(document.documentElement, { attributeFilter: ["class"] });
  };

  const resubmit = () => {
    // Another meter has other dimensions.
    document.querySelector("[data-resubmits]")?.addEventListener("change", (event) => {
      const form = event.target.form;
      form.elements.split.value = "";
      form.requestSubmit();
    });
  };

  const start = () => { draw(); resubmit(); };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
