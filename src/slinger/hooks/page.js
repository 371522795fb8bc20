// The timeline of the page that `slinger hooks --html` writes. Data comes as JSON, and goes into the page as text alone.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const timeline = document.getElementById("timeline");
  const tracks = [];
  const bars = [];
  const view = { from: 0, span: data.length };
  const LEAST = Math.max(data.length / 20000, 1000);

  const make = (name, className, text, parent) => {
    const element = document.createElement(name);
    element.className = className;
    if (text !== "") element.textContent = text;
    if (parent) parent.append(element);
    return element;
  };
  const place = (element, x, w) => {
    element.style.setProperty("--x", x);
    element.style.setProperty("--w", w);
  };
  const inWords = (nanoseconds) => {
    if (nanoseconds >= 1e9) return `${(nanoseconds / 1e9).toFixed(2)} s`;
    if (nanoseconds >= 1e6) return `${(nanoseconds / 1e6).toFixed(nanoseconds >= 1e8 ? 0 : 2)} ms`;
    return `${(nanoseconds / 1e3).toFixed(nanoseconds >= 1e5 ? 0 : 1)} µs`;
  };

  const addRow = (title, className) => {
    const row = make("div", `row ${className}`, "", timeline);
    make("span", "", title, row);
    return make("div", "track", "", row);
  };
  const axis = addRow("time", "axis");
  for (const part of data.parts) place(make("div", "part", part.name, axis), part.x, part.w);
  for (const lane of data.lanes) {
    const track = addRow(lane, "lane");
    tracks.push(track);
    for (const pause of data.pauses) place(make("div", "pause", "", track), pause.x, pause.w);
  }
  data.steps.forEach((step, number) => {
    const bar = make("button", `bar ${step.kind}${step.failed ? " failed" : ""}`, step.name, tracks[step.lane]);
    bar.type = "button";
    bar.tabIndex = number === 0 ? 0 : -1;
    bar.title = `${step.name}: ${inWords(step.w)}`;
    bar.setAttribute("aria-label", `${data.lanes[step.lane]}: ${step.name}, ${inWords(step.w)}, ${step.outcome}`);
    place(bar, step.x, step.w);
    bar.addEventListener("click", () => { if (!drag.moved) open(step); });
    bar.addEventListener("focus", () => show(number));
    bars.push(bar);
  });

  let ticks = [];
  const drawTicks = () => {
    for (const tick of ticks) tick.remove();
    ticks = [];
    const width = axis.clientWidth || 800;
    const rough = (view.span / width) * 90;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough);
    for (const part of data.parts) {
      const begin = Math.max(Math.ceil((view.from - part.x) / step), 0);
      const length = Math.min(view.from + view.span, part.x + part.w) - part.x;
      for (let at = begin; at * step <= length; at++) {
        // No label across the beginning of the next part, or cut off by the edge.
        if (at > 0 && ((length - at * step) / view.span) * width < 52) break;
        const tick = make("div", "tick", inWords(at * step).replace(/\.0+ /, " "), axis);
        place(tick, part.x + at * step, 0);
        ticks.push(tick);
      }
    }
    bars.forEach((bar, number) => {
      bar.classList.toggle("narrow", (data.steps[number].w / view.span) * width < 22);
    });
  };
  const draw = () => {
    view.span = Math.min(Math.max(view.span, LEAST), data.length);
    view.from = Math.min(Math.max(view.from, 0), data.length - view.span);
    timeline.style.setProperty("--from", view.from);
    timeline.style.setProperty("--span", view.span);
    drawTicks();
  };
  const zoom = (factor, about) => {
    const center = about ?? view.from + view.span / 2;
    const share = (center - view.from) / view.span;
    view.span = Math.min(Math.max(view.span * factor, LEAST), data.length);
    view.from = center - share * view.span;
    draw();
  };
  const pan = (share) => { view.from += view.span * share; draw(); };
  const fit = () => { view.from = 0; view.span = data.length; draw(); };
  // Bring a step into view without changing the scale.
  const show = (number) => {
    const step = data.steps[number];
    bars.forEach((bar, other) => { bar.tabIndex = other === number ? 0 : -1; });
    if (step.x < view.from) view.from = step.x - view.span * 0.1;
    else if (step.x + Math.min(step.w, view.span) > view.from + view.span) view.from = step.x - view.span * 0.5;
    draw();
  };

  const at = (event) => {
    const box = axis.getBoundingClientRect();
    return view.from + ((event.clientX - box.left) / box.width) * view.span;
  };
  timeline.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan((event.deltaX || event.deltaY) / 800);
    else zoom(Math.exp(event.deltaY / 400), at(event));
  }, { passive: false });

  const drag = { from: null, x: 0, moved: false };
  timeline.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    Object.assign(drag, { from: view.from, x: event.clientX, moved: false });
  });
  addEventListener("pointermove", (event) => {
    if (drag.from === null) return;
    if (Math.abs(event.clientX - drag.x) > 4) { drag.moved = true; timeline.classList.add("dragged"); }
    if (!drag.moved) return;
    view.from = drag.from - ((event.clientX - drag.x) / axis.clientWidth) * view.span;
    draw();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    addEventListener(end, () => {
      drag.from = null;
      timeline.classList.remove("dragged");
      setTimeout(() => { drag.moved = false; }, 0);
    });
  }

  // The next bar in this direction: along time, or in the nearest lane that has one.
  const neighbour = (number, key) => {
    if (key === "ArrowLeft") return number - 1;
    if (key === "ArrowRight") return number + 1;
    const way = key === "ArrowUp" ? -1 : 1;
    const middle = data.steps[number].x + data.steps[number].w / 2;
    for (let lane = data.steps[number].lane + way; lane >= 0 && lane < data.lanes.length; lane += way) {
      let best = -1;
      data.steps.forEach((step, other) => {
        if (step.lane !== lane) return;
        const far = Math.abs(step.x + step.w / 2 - middle);
        if (best < 0 || far < Math.abs(data.steps[best].x + data.steps[best].w / 2 - middle)) best = other;
      });
      if (best >= 0) return best;
    }
    return number;
  };
  const KEYS = {
    "+": (center) => zoom(0.6, center), "=": (center) => zoom(0.6, center), "-": (center) => zoom(1 / 0.6, center),
    "0": fit, Home: fit, PageUp: () => pan(-0.5), PageDown: () => pan(0.5),
  };
  timeline.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const number = bars.indexOf(document.activeElement);
    const step = data.steps[number];
    if (event.key.startsWith("Arrow")) {
      if (event.shiftKey) pan(event.key === "ArrowLeft" ? -0.2 : event.key === "ArrowRight" ? 0.2 : 0);
      else if (number < 0) bars[0]?.focus();
      else bars[neighbour(number, event.key)]?.focus();
    } else if (KEYS[event.key]) KEYS[event.key](step ? step.x + step.w / 2 : undefined);
    else return;
    event.preventDefault();
  });

  const dialog = document.getElementById("dialog");
  const body = document.getElementById("dialog-body");
  const open = (step) => {
    body.replaceChildren();
    const title = make("h2", "", step.name, body);
    title.id = "dialog-title";
    const list = make("dl", "", "", body);
    for (const [term, text] of step.rows) { make("dt", "", term, list); make("dd", "", text, list); }
    for (const [title, text] of step.texts) { make("p", "facts", title, body); make("pre", "", text, body).tabIndex = 0; }
    dialog.showModal();
    dialog.scrollTop = 0; // its button at the end has the focus
  };
  document.getElementById("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  document.getElementById("in").addEventListener("click", () => zoom(0.6));
  document.getElementById("out").addEventListener("click", () => zoom(1 / 0.6));
  document.getElementById("fit").addEventListener("click", fit);
  document.getElementById("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  addEventListener("resize", drawTicks);
  document.getElementById("live").hidden = false;
  draw();
})();
