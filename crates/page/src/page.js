"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const t = data.text;
  const PER_PAGE = 48;
  const at = (id) => document.getElementById(id);
  const fields = ["model", "explanation", "fold", "class", "outcome", "status", "name", "sort"];
  // A report of one explanation has no choice of explanations.
  const field = Object.fromEntries(fields.map((name) => [name, at("f-" + name) ?? { value: "" }]));
  let shown = [];
  let page = 0;
  let open = -1;
  let opener = null;

  const make = (tag, text, name) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (name) element.className = name;
    return element;
  };
  const say = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => key in values ? values[key] : whole);
  const number = (value, digits) => value.toLocaleString(data.language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const percent = (value) => number(value * 100, 1) + "\u00a0%";
  const url = (run, path) => [data.folders[run], path].filter((part) => part !== ".").join("/")
    .split("/").map((part, place) => place === 0 && /^[A-Za-z]:$/.test(part) ? "file:///" + part : part === ".." ? part : encodeURIComponent(part)).join("/");

  const options = (select, values) => values.forEach(([value, text]) => {
    const option = make("option", text);
    option.value = value;
    select.append(option);
  });
  options(field.model, data.models.map((model, place) => [place, model.name]));
  if (data.explanations) options(field.explanation, data.explanations.map((title, place) => [place, title]));
  options(field.fold, data.folds.map((fold, place) => [place, fold]));
  options(field.class, data.classes.map((name, place) => [place, name]));
  options(field.outcome, data.outcomes.map((name) => [name, t[name]]));
  options(field.status, data.statuses.map((name) => [name, name]));

  // One attribution and its result: m model, k explanation, r run, l true class, q predicted class, c confidence, o outcome, s status,
  // x largest value of the map, v overlay, h small picture, p likeliest classes, e error.
  const wanted = (result) => (field.model.value === "" || result.m === Number(field.model.value))
    && (field.explanation.value === "" || (result.k ?? 0) === Number(field.explanation.value));
  const named = (model, explanation) => data.models[model].name
    + (data.explanations ? ", " + data.explanations[explanation ?? 0] : "");
  const fits = (result) => wanted(result)
    && (field.class.value === "" || result.l === Number(field.class.value))
    && (field.outcome.value === "" || result.o === field.outcome.value)
    && (field.status.value === "" || result.s === field.status.value);
  const confidence = (image, none) => {
    const result = image.r.find((one) => wanted(one) && one.c !== undefined);
    return result ? result.c : none;
  };

  const choose = () => {
    const name = field.name.value.toLowerCase();
    shown = data.images.filter((image) => (field.fold.value === "" || image.f === Number(field.fold.value))
      && (name === "" || image.n.toLowerCase().includes(name)) && image.r.some(fits));
    const by = {
      high: (a, b) => confidence(b, -1) - confidence(a, -1),
      low: (a, b) => confidence(a, 2) - confidence(b, 2),
      disagree: (a, b) => (a.g ?? 2) - (b.g ?? 2),
    }[field.sort.value];
    if (by) shown.sort(by);
    page = 0;
    draw();
  };

  const className = (place) => place === undefined ? t.unknown_class : data.classes[place];
  const picture = (image, result, lazy) => {
    const element = make("img");
    if (lazy) element.loading = "lazy";
    element.decoding = "async";
    element.alt = say(t.picture_alt, { name: image.n, model: named(result.m, result.k) });
    element.width = 720;
    element.height = 240;
    element.src = url(result.r, result.h);
    element.addEventListener("load", () => { element.height = Math.round(720 * element.naturalHeight / element.naturalWidth); });
    return element;
  };
  const line = (result) => {
    const text = make("span", undefined, "line");
    if (result.q === undefined) {
      text.append(make("span", say(t.failed_line, { model: named(result.m, result.k), error: result.e ?? "" }), "unread"));
      return text;
    }
    const marks = { Right: "✓", Wrong: "✗", Unknown: "?" };
    text.append(make("span", say(t.result_line, {
      model: named(result.m, result.k), truth: className(result.l), predicted: className(result.q), confidence: percent(result.c),
    })));
    text.append(make("span", marks[result.o] + " " + t[result.o], result.o));
    if (result.s !== "ok") text.append(make("span", say(t.unreadable_line, { status: result.s }), "unread"));
    return text;
  };

  const card = (image, place) => {
    const button = make("button", undefined, "card");
    button.type = "button";
    button.append(make("strong", image.n));
    for (const result of image.r.filter(wanted)) {
      if (result.h) button.append(picture(image, result, true));
      button.append(line(result));
    }
    button.addEventListener("click", () => { opener = button; enlarge(place); });
    return button;
  };

  const draw = () => {
    const pages = Math.max(1, Math.ceil(shown.length / PER_PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const first = page * PER_PAGE;
    at("cards").replaceChildren(...shown.slice(first, first + PER_PAGE).map((image, place) => card(image, first + place)));
    at("shown").textContent = say(t.shown, { shown: number(shown.length, 0), all: number(data.images.length, 0) });
    at("page").textContent = say(t.page, { page: page + 1, pages });
    at("previous").disabled = page === 0;
    at("next").disabled = page === pages - 1;
  };
  const turn = (step) => {
    page += step;
    draw();
    at("gallery").scrollIntoView();
  };

  const details = (image, result) => {
    const list = make("table");
    const row = (name, text) => {
      const tr = make("tr");
      const th = make("th", name);
      th.scope = "row";
      tr.append(th, text instanceof Node ? text : make("td", text));
      list.append(tr);
    };
    if (result.q === undefined) return list;
    row(t.class, className(result.l));
    row(t.predicted, className(result.q) + ", " + percent(result.c));
    row(t.probabilities, result.p.map(([place, value]) => className(place) + " " + percent(value)).join("; "));
    row(t.status, result.s === "ok" ? "ok" : result.s + ": " + t["status_" + result.s]);
    if (result.x !== undefined) row(t.map_max, String(result.x));
    if (result.v) {
      const cell = make("td");
      const link = make("a", result.v);
      link.href = url(result.r, result.v);
      cell.append(link);
      row(t.overlay_file, cell);
    }
    return list;
  };
  const enlarge = (place) => {
    open = place;
    const image = shown[place];
    const body = [];
    const about = [say(t.fold_is, { fold: data.folds[image.f] })];
    if (image.u !== undefined) about.push(say(t.subject_is, { subject: image.u }));
    body.push(make("p", about.join(" · ")));
    for (const result of image.r.filter(wanted)) {
      body.push(make("h3", named(result.m, result.k)));
      if (result.h) {
        const parts = make("div", undefined, "parts");
        parts.append(make("span", t.original), make("span", t.map), make("span", t.overlay));
        body.push(parts, picture(image, result, false));
      }
      body.push(line(result), details(image, result));
    }
    for (const [first, second, spearman, overlap, explanation] of image.a ?? []) {
      body.push(make("p", say(t.pair_line, {
        first: data.models[first].name, second: named(second, explanation),
        spearman: spearman === null ? "–" : number(spearman, 2), overlap: overlap === null ? "–" : number(overlap, 2),
      })));
    }
    at("large-title").textContent = image.n;
    at("large-body").replaceChildren(...body);
    at("large-previous").disabled = place === 0;
    at("large-next").disabled = place === shown.length - 1;
    if (!at("large").open) at("large").showModal();
    at("large").scrollTop = 0;
  };
  const step = (by) => {
    if (open + by >= 0 && open + by < shown.length) enlarge(open + by);
  };

  // The event "close" comes after the dialog has closed: a key pressed before it would start from another card.
  const leave = () => {
    if (open < 0) return;
    const place = open;
    open = -1;
    at("large").close();
    const wantedPage = Math.floor(place / PER_PAGE);
    if (wantedPage !== page) { page = wantedPage; draw(); }
    const target = at("cards").children[place - page * PER_PAGE] ?? opener;
    if (target) target.focus();
  };
  at("large").addEventListener("close", leave);
  at("large").addEventListener("click", (event) => { if (event.target === at("large")) leave(); });
  at("large").addEventListener("keydown", (event) => {
    const keys = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), Escape: leave };
    if (event.key in keys) { event.preventDefault(); keys[event.key](); }
  });
  at("large-close").addEventListener("click", leave);
  at("large-previous").addEventListener("click", () => step(-1));
  at("large-next").addEventListener("click", () => step(1));
  at("previous").addEventListener("click", () => turn(-1));
  at("next").addEventListener("click", () => turn(1));
  at("filters").addEventListener("input", choose);
  at("filters").addEventListener("submit", (event) => event.preventDefault());
  at("filters").addEventListener("reset", () => setTimeout(choose));
  for (const button of document.querySelectorAll(".only")) {
    button.addEventListener("click", () => {
      at("filters").reset();
      field.model.value = button.dataset.model;
      field.explanation.value = button.dataset.explanation ?? "";
      field.status.value = button.dataset.status;
      choose();
      at("gallery").scrollIntoView();
    });
  }
  window.addEventListener("beforeprint", () => document.querySelectorAll("details:not(.how)").forEach((one) => { one.open = true; }));
  choose();
})();
