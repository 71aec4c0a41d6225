// Maps that are compared at once.
const SIX = 6;
let open = -1;
let firstMap = 0;

const details = (image, result) => {
  const list = make("table");
  const row = (name, text) => {
    const tr = make("tr");
    const th = make("th", name);
    th.scope = "row";
    tr.append(th, text instanceof Node ? text : make("td", text));
    list.append(tr);
  };
  list.append(make("caption", named(result)));
  if (result.q === undefined) {
    row(t.failed, result.e ?? "");
    return list;
  }
  row(t.class, className(result.l));
  row(t.predicted, className(result.q) + ", " + percent(result.c));
  row(t.probabilities, result.p.map(([place, value]) => className(place) + " " + percent(value)).join("; "));
  if (result.s !== undefined) row(t.status, result.s === "ok" ? state("ok") : (t["status_" + result.s] ?? result.s) + " (" + result.s + ")");
  if (result.x !== undefined) row(t.map_max, String(result.x));
  for (const [place, value] of result.t ?? []) {
    const { title, up } = data.measures[place];
    row(title, number(value, 3) + "," + (up ? t.higher_is_better : t.lower_is_better));
  }
  return list;
};

// A map, its value under the pointer, and the way to the overlay that the run drew.
const largeTile = (image, result) => {
  const figure = tile(image, result);
  const caption = figure.querySelector("figcaption");
  if (result.b !== undefined && result.s === "ok") {
    const value = make("output", undefined, "value");
    value.title = t.value_title;
    caption.append(value);
    const cross = make("span", undefined, "cross");
    cross.hidden = true;
    figure.querySelector(".picture").append(cross);
    figure.result = result;
    figure.shares = cells(result).map((share) => share * factor(result));
  }
  if (result.v) {
    const link = make("a", t.overlay_file);
    link.href = url(result.r, result.v);
    link.target = "_blank";
    caption.append(link);
  }
  return figure;
};
// The place that values are read at, by shares of width and height.
let pointed = [0.5, 0.5];
const point = (x, y) => {
  pointed = [x, y].map((share) => Math.min(Math.max(share, 0), 1));
  for (const figure of at("large-body").querySelectorAll(".tile")) {
    if (!figure.shares) continue;
    const cross = figure.querySelector(".cross");
    cross.hidden = false;
    [cross.style.left, cross.style.top] = pointed.map((share) => share * 100 + "%");
    const share = shareAt(figure.shares, ...pointed);
    figure.querySelector(".value").textContent = number(share, 2);
  }
};
const unpoint = () => {
  at("large-body").querySelectorAll(".cross").forEach((cross) => { cross.hidden = true; });
  at("large-body").querySelectorAll(".value").forEach((value) => { value.textContent = ""; });
};
at("large-body").addEventListener("pointermove", (event) => {
  const frame = event.target instanceof Element && event.target.closest(".picture");
  if (!frame) return unpoint();
  const box = frame.getBoundingClientRect();
  point((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
});

const aside = (image) => {
  const element = make("div", undefined, "aside");
  const about = [say(t.fold_is, { fold: data.folds[image.f] })];
  if (image.u !== undefined) about.push(say(t.subject_is, { subject: image.u }));
  const label = make("label", undefined, "check");
  const box = make("input");
  box.type = "checkbox";
  box.id = "large-chosen";
  box.checked = chosen.has(image.n);
  box.addEventListener("change", () => chooseImages([image], box.checked));
  label.append(box, " " + t.chosen_one);
  element.append(tile(image), make("p", about.join(" · "), "small"), label, ...noteFields(image));
  return element;
};

const enlarge = (place) => {
  open = place;
  const image = shown[place];
  const results = image.r.filter(wanted);
  if (firstMap >= results.length) firstMap = 0;
  const six = results.slice(firstMap, firstMap + SIX);
  const maps = make("div", undefined, "maps");
  maps.style.setProperty("--columns", Math.min(3, six.length));
  maps.style.setProperty("--rows", Math.ceil(six.length / 3));
  maps.append(...six.map((result) => largeTile(image, result)));
  const right = make("div");
  right.append(maps);
  if (results.length > SIX) {
    const others = make("p");
    const step = (by) => () => { firstMap += by; enlarge(open); };
    const [before, after] = [button(t.maps_before, step(-SIX)), button(t.maps_after, step(SIX))];
    [before.disabled, after.disabled] = [firstMap === 0, firstMap + SIX >= results.length];
    others.append(before, " ", say(t.maps_of, { first: firstMap + 1, last: firstMap + six.length, all: results.length }), " ", after);
    right.append(others);
  }
  right.append(...regionShares(image, six));
  const numbers = make("details", undefined, "numbers");
  numbers.append(make("summary", t.numbers), ...results.map((result) => details(image, result)));
  for (const [first, second, spearman, overlap, explanation, ssim] of image.a ?? []) {
    const text = (value) => value === null ? "–" : number(value, 2);
    numbers.append(make("p", say(t.pair_line, {
      first: data.models[first].name, second: data.models[second].name + (data.explanations.length > 1 ? ", " + explanationName(explanation) : ""),
      spearman: text(spearman), overlap: text(overlap), ssim: text(ssim),
    })));
  }
  right.append(numbers);
  const body = make("div", undefined, "compare");
  body.append(aside(image), right);
  at("large-title").textContent = image.n;
  at("large-body").replaceChildren(body);
  at("large-previous").disabled = place === 0;
  at("large-next").disabled = place === shown.length - 1;
  if (!at("large").open) at("large").showModal();
  at("large").scrollTop = 0;
  writeAddress();
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
  at("large-body").replaceChildren();
  const shownCard = at("cards").children[place - page * PER_PAGE];
  // Its note may be another now.
  if (shownCard) shownCard.replaceWith(card(shown[place], place));
  focusCard(place);
  writeAddress();
};
at("large").addEventListener("close", leave);
at("large").addEventListener("click", (event) => { if (event.target === at("large")) leave(); });
at("large").addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    event.preventDefault();
    return leave();
  }
  if (isTyping(event) || event.ctrlKey || event.altKey || event.metaKey) return;
  const move = (x, y) => () => point(pointed[0] + x / GRID, pointed[1] + y / GRID);
  const keys = event.shiftKey
    ? { ArrowLeft: move(-1, 0), ArrowRight: move(1, 0), ArrowUp: move(0, -1), ArrowDown: move(0, 1) }
    : {
      ArrowLeft: () => step(-1), ArrowRight: () => step(1),
      x: () => at("large-chosen").click(), n: () => at("large-note").focus(),
    };
  if (!(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});
at("large-close").addEventListener("click", leave);
at("large-previous").addEventListener("click", () => step(-1));
at("large-next").addEventListener("click", () => step(1));
