// Charts: drawn from the JSON beside them, themed by the page's own colours. Dragging zooms, a click opens the traces.
(() => {
  const SECOND = 1000;
  const drawn = new Map();

  const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
  const digits = (value) => Number(value.toPrecision(3));
  const UNITS = {
    count: (value) => short.format(value),
    money: (value) => (Math.abs(value) >= 1 ? `$${value >= 1e5 ? short.format(value) : value.toFixed(2)}` : value >= 0.01 ? `$${Number(value.toFixed(4)).toString().padEnd(4, "0")}` : `$${digits(value)}`),
    ms: (value) => (value < 1000 ? `${digits(value)} ms` : value < 60000 ? `${digits(value / 1000)} s` : `${digits(value / 60000)} min`),
    rate: (value) => `${digits(value * 100)} %`,
    percent: (value) => `${digits(value)} %`,
    per_second: (value) => `${digits(value)} /s`,
    score: (value) => value.toFixed(2),
  };

  // Where the lines of a grid may stand: on whole minutes, hours and days, and on round numbers of a unit.
  const DAYS = [1, 2, 3, 7, 14, 28, 56, 112, 365, 730].map((days) => days * 86400);
  const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * 60);
  const STEPS = { ms: [1, 2, 5, 10, 20, 50, 100, 200, 500, ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600].map((seconds) => seconds * SECOND)] };

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function when(seconds, width) {
    const text = new Date(seconds * SECOND).toISOString();
    return width >= 86400 ? text.slice(0, 10) : `${text.slice(0, 10)} ${text.slice(11, 16)}`;
  }

  // Each part stands on those below it; what is compared with is a line of its own.
  function stacked_values(series) {
    const base = [];
    return series.map((one) => {
      if (one.before) return one.values;
      return one.values.map((value, at) => (base[at] = (base[at] || 0) + (value || 0)));
    });
  }

  function alone(values) {
    const gap = (at) => values[at] === null || values[at] === undefined;
    return values.map((_value, at) => at).filter((at) => !gap(at) && gap(at - 1) && gap(at + 1));
  }

  function series_of(told) {
    return told.series.map((one, place) => {
      const line = colour(one.before ? "--before" : `--c${one.color}`);
      const filled = told.stacked && !one.before;
      return {
        label: one.label,
        stroke: line,
        width: filled && told.bars ? 0 : one.before ? 1.25 : 1.75,
        dash: one.before ? [4, 4] : undefined,
        fill: filled ? line : undefined,
        paths: filled && told.bars ? uPlot.paths.bars({ size: [0.86, 40], align: 1, gap: 0 }) : undefined,
        // A value between two gaps is no line: it is drawn as a point.
        points: { show: !filled, size: 4, fill: line, filter: () => alone(one.values) },
        spanGaps: false,
        place,
      };
    });
  }

  function axes_of(told) {
    const ink = colour("--quiet");
    const grid = { stroke: colour("--grid"), width: 1 };
    const shared = { stroke: ink, grid, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const span = told.times.length ? told.times[told.times.length - 1] - told.times[0] : 0;
    const label = (seconds) => {
      const time = new Date(seconds * SECOND).toISOString().slice(11, 16);
      if (time !== "00:00") return time;
      const date = span > 400 * 86400 ? { month: "short", year: "numeric" } : { day: "numeric", month: "short" };
      return new Date(seconds * SECOND).toLocaleDateString("en", { ...date, timeZone: "UTC" });
    };
    return [
      { ...shared, grid: { show: false }, size: 28, space: 64, incrs: span > 4 * 86400 ? DAYS : MINUTES, values: (_plot, splits) => splits.map(label) },
      { ...shared, size: 60, incrs: STEPS[told.unit], values: (_plot, splits) => splits.map((value) => UNITS[told.unit](value)) },
    ];
  }

  function tip_of(box) {
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    box.append(tip);
    return tip;
  }

  function fill_tip(tip, told, hidden, at) {
    tip.replaceChildren();
    const time = document.createElement("p");
    time.textContent = `${when(told.times[at], told.width)} UTC`;
    tip.append(time);
    const rows = told.series.map((one, place) => ({ one, place, value: one.values[at] })).filter(({ place, value }) => !hidden.has(place) && value !== null);
    if (told.stacked) rows.reverse();
    for (const { one, value } of rows) {
      const row = document.createElement("p");
      const dot = document.createElement("i");
      dot.className = `dot ${one.before ? "before" : `c${one.color}`}`;
      const name = document.createElement("span");
      name.textContent = one.label;
      const figure = document.createElement("b");
      figure.textContent = UNITS[told.unit](value);
      row.append(dot, name, figure);
      tip.append(row);
    }
  }

  function legend_of(box, told, state) {
    const list = document.createElement("div");
    list.className = "legend";
    told.series.forEach((one, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      const dot = document.createElement("i");
      dot.className = `dot ${one.before ? "before" : `c${one.color}`}`;
      button.append(dot, one.label);
      button.addEventListener("click", () => {
        const off = !state.hidden.has(place);
        if (off) state.hidden.add(place); else state.hidden.delete(place);
        button.setAttribute("aria-pressed", String(!off));
        draw(box, told, state);
      });
      list.append(button);
    });
    box.append(list);
  }

  function bounded(href, start, end) {
    const link = new URL(href, location.href);
    const bound = (seconds) => new Date(seconds * SECOND).toISOString().replace(".000Z", "Z");
    for (const name of ["from", "to", "cursor"]) link.searchParams.delete(name);
    link.searchParams.set("start_time", bound(start));
    link.searchParams.set("end_time", bound(end));
    return link.href;
  }

  function go(href) { location.assign(href); }

  function open_bucket(told, at) {
    if (told.drill && at !== null && at !== undefined) go(bounded(told.drill, told.times[at], told.times[at] + told.width));
  }

  function draw(box, told, state) {
    if (state.plot) state.plot.destroy();
    const shown = told.series.map((one, place) => (state.hidden.has(place) ? { ...one, values: one.values.map(() => null) } : one));
    const values = told.stacked ? stacked_values(shown) : shown.map((one) => one.values);
    const series = series_of(told);
    // The tallest of a stack is drawn first, so that those below stand in front of it.
    const order = series.map((_one, place) => place);
    if (told.stacked) order.sort((a, b) => Number(told.series[a].before) - Number(told.series[b].before) || b - a);
    const bars = told.stacked && told.bars;
    const last = told.times[told.times.length - 1];
    const plot = new uPlot(
      {
        width: box.clientWidth,
        height: box.clientWidth < 420 ? 180 : 220,
        padding: [10, 18, 0, 0],
        legend: { show: false },
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * SECOND), "Etc/UTC"),
        scales: {
          x: { range: bars ? () => [told.times[0], last + told.width] : undefined },
          y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] },
        },
        cursor: { y: false, points: { show: !bars, size: 7 }, drag: { x: true, y: false, setScale: false, dist: 6 } },
        series: [{}, ...order.map((place) => series[place])],
        axes: axes_of(told),
        bands: told.band ? [{ series: told.band.map((place) => order.indexOf(place) + 1), fill: colour("--band") }] : [],
        hooks: {
          setCursor: [(one) => {
            const at = one.cursor.idx;
            const tip = state.tip;
            if (at === null || at === undefined || one.cursor.left < 0) { tip.hidden = true; return; }
            fill_tip(tip, told, state.hidden, at);
            tip.hidden = false;
            const left = one.valToPos(told.times[at], "x") + one.over.offsetLeft;
            const room = box.clientWidth - tip.offsetWidth - 8;
            tip.style.left = `${Math.max(0, Math.min(left + 14 > room ? left - tip.offsetWidth - 14 : left + 14, room))}px`;
            tip.style.top = "12px";
          }],
          setSelect: [(one) => {
            if (one.select.width < 6 || !told.zoom) return;
            const start = one.posToVal(one.select.left, "x");
            const end = one.posToVal(one.select.left + one.select.width, "x");
            const step = told.width;
            go(bounded(told.zoom, Math.floor(start / step) * step, Math.ceil(end / step) * step));
          }],
          ready: [(one) => {
            let pressed = null;
            one.over.addEventListener("mousedown", (event) => { pressed = event.clientX; });
            one.over.addEventListener("click", (event) => {
              if (pressed !== null && Math.abs(event.clientX - pressed) < 5) open_bucket(told, one.cursor.idx);
            });
          }],
        },
      },
      [told.times, ...order.map((place) => values[place])],
      state.canvas,
    );
    state.plot = plot;
  }

  function keys(box, told, state) {
    box.addEventListener("keydown", (event) => {
      if (event.target !== box || !["ArrowLeft", "ArrowRight", "Home", "End", "Enter"].includes(event.key)) return;
      event.preventDefault();
      if (event.key === "Enter") { open_bucket(told, state.at); return; }
      const last = told.times.length - 1;
      const from = state.at ?? (event.key === "ArrowLeft" ? last + 1 : -1);
      const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[event.key];
      state.at = Math.max(0, Math.min(to, last));
      state.plot.setCursor({ left: state.plot.valToPos(told.times[state.at] + (told.bars ? told.width / 2 : 0), "x"), top: 20 });
      state.said.textContent = state.tip.innerText.replace(/\n+/g, ", ");
    });
  }

  function make(box) {
    const told = JSON.parse(box.querySelector("script").textContent);
    if (!told.times.length) return;
    for (const one of told.series) one.values = one.values.map((value) => (value === null ? null : Number(value)));
    const state = { hidden: new Set(), plot: null, at: null, tip: null, canvas: document.createElement("div"), said: document.createElement("p") };
    state.canvas.className = "canvas";
    state.said.className = "unseen";
    state.said.setAttribute("aria-live", "polite");
    if (told.series.length > 1) legend_of(box, told, state);
    box.append(state.canvas, state.said);
    state.tip = tip_of(state.canvas);
    draw(box, told, state);
    keys(box, told, state);
    const watch = new ResizeObserver(() => {
      if (box.clientWidth && Math.abs(box.clientWidth - state.plot.width) > 1) draw(box, told, state);
    });
    watch.observe(box);
    drawn.set(box, { redraw: () => draw(box, told, state), stop: () => { watch.disconnect(); state.plot.destroy(); } });
  }

  function make_all() {
    for (const [box, one] of drawn) if (!box.isConnected) { one.stop(); drawn.delete(box); }
    for (const box of document.querySelectorAll("[data-chart]")) if (!drawn.has(box)) make(box);
  }

  document.addEventListener("theme", () => { for (const one of drawn.values()) one.redraw(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { for (const one of drawn.values()) one.redraw(); });
  document.addEventListener("htmx:afterSettle", make_all);
  make_all();
})();
