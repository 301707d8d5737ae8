// Draws every chart of the page from the data it carries; each has its table beside it.
"use strict";
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const drawn = [];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const number = (value) => value.toLocaleString("en");

  function figure(value, digits) {
    return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }

  function line(series, at) {
    const base = series.baseline;
    return {
      type: "line",
      name: series.name,
      data: series.points,
      showSymbol: series.points.length < 2,
      symbol: "circle",
      lineStyle: { width: base ? 1.5 : 2, type: base || "solid" },
      color: base ? colour("--quiet") : colour(`--c${at % 8}`),
      emphasis: { focus: "series" },
    };
  }

  function marks(chart) {
    const text = colour("--text");
    return {
      silent: true,
      symbol: "none",
      label: { formatter: (mark) => mark.name, color: text, position: "end", distance: 4, fontSize: 11 },
      lineStyle: { color: text, type: "solid", width: 1, opacity: 0.6 },
      data: chart.marks.map((mark) => ({ xAxis: mark.at, name: mark.name, lineStyle: { type: mark.drawn || "solid" } })),
    };
  }

  function axes(chart) {
    const quiet = { color: colour("--quiet") };
    const lines = { lineStyle: { color: colour("--line") } };
    const common = { axisLabel: quiet, nameTextStyle: quiet, axisLine: lines, splitLine: lines };
    const value = {
      ...common,
      type: "value",
      name: chart.y,
      nameTextStyle: { ...quiet, align: "left" },
      scale: true,
      min: chart.zero ? 0 : undefined,
    };
    const names = { ...common, type: "category", data: chart.names, axisLabel: { ...quiet, interval: 0, hideOverlap: true } };
    const samples = {
      ...common,
      type: "value",
      name: chart.x,
      nameLocation: "middle",
      nameGap: 28,
      max: chart.end,
      splitLine: { show: false },
      axisLabel: { ...quiet, formatter: number, hideOverlap: true },
    };
    return { xAxis: chart.names ? names : samples, yAxis: value };
  }

  function option(chart) {
    const text = { color: colour("--text") };
    const bars = chart.kind === "bar";
    const series = chart.series.map((each, at) =>
      bars ? { type: "bar", name: each.name, data: each.points, color: colour(`--c${at % 8}`) } : line(each, at),
    );
    if (chart.marks && chart.marks.length && series.length) series[0].markLine = marks(chart);
    return {
      aria: { enabled: true, label: { description: chart.says } },
      animation: !still.matches,
      textStyle: text,
      backgroundColor: "transparent",
      grid: { left: 12, right: 20, top: 56, bottom: 84, containLabel: true },
      legend: {
        type: "scroll",
        bottom: 0,
        textStyle: text,
        pageTextStyle: text,
        pageIconColor: colour("--text"),
        selected: Object.fromEntries(chart.series.map((each) => [each.name, !each.hidden])),
      },
      tooltip: {
        trigger: "axis",
        confine: true,
        backgroundColor: colour("--ground"),
        borderColor: colour("--line"),
        textStyle: text,
        valueFormatter: (value) => (value === null || value === undefined ? "–" : figure(value, chart.digits)),
      },
      ...axes(chart),
      series,
    };
  }

  for (const chart of charts) {
    const place = document.getElementById(chart.id);
    const picture = echarts.init(place, null, { renderer: "svg" });
    picture.setOption(option(chart));
    drawn.push([chart, picture]);
  }
  addEventListener("resize", () => drawn.forEach(([, picture]) => picture.resize()));
  dark.addEventListener("change", () => drawn.forEach(([chart, picture]) => picture.setOption(option(chart))));
})();
