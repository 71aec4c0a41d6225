const PER_PAGE = 48;
let shown = [];
let page = 0;

const card = (image, place) => {
  const element = make("article", undefined, "card");
  const head = make("div", undefined, "head");
  const opens = button(undefined, () => enlarge(place));
  opens.className = "open";
  opens.append(make("strong", image.n));
  const box = make("input");
  box.type = "checkbox";
  box.checked = chosen.has(image.n);
  box.setAttribute("aria-label", say(t.choose_image, { name: image.n }));
  box.addEventListener("click", (event) => choosePlace(place, box.checked, event.shiftKey));
  head.append(opens);
  const note = notes.get(image.n);
  if (note) {
    const sign = make("span", note.tags.join(", ") || "✎", "tags");
    sign.title = note.note;
    head.append(sign);
  }
  head.append(box);
  const tiles = make("div", undefined, "tiles");
  const results = image.r.filter(wanted);
  tiles.append(tile(image), ...results.map((result) => tile(image, result)));
  tiles.addEventListener("click", () => enlarge(place));
  element.append(head, tiles);
  for (const result of results.filter((one) => one.q === undefined)) {
    element.append(make("p", say(t.failed_line, { model: named(result), error: result.e ?? "" }), "unread"));
  }
  return element;
};

const draw = () => {
  const pages = Math.max(1, Math.ceil(shown.length / PER_PAGE));
  page = Math.min(Math.max(page || 0, 0), pages - 1);
  const first = page * PER_PAGE;
  const all = shown.slice(first, first + PER_PAGE);
  const most = Math.max(1, ...all.map((image) => image.r.filter(wanted).length));
  at("cards").style.setProperty("--tiles", Math.min(most + 1, 7));
  watcher.disconnect();
  seen.clear();
  at("cards").replaceChildren(...all.map((image, place) => card(image, first + place)));
  drawExamples();
  at("shown").textContent = say(t.shown, { shown: number(shown.length, 0), all: number(data.images.length, 0) });
  at("page").textContent = say(t.page, { page: page + 1, pages });
  at("previous").disabled = page === 0;
  at("next").disabled = page === pages - 1;
  writeAddress();
};
const choose = (wantedPage) => {
  shown = sorted(chosenImages());
  page = wantedPage > 0 ? wantedPage : 0;
  draw();
};
const turn = (step) => {
  page += step;
  draw();
  at("gallery").scrollIntoView();
};

// Images that were picked to be looked at first, each with its reason.
const drawExamples = () => {
  at("examples").replaceChildren(...data.examples.map((example) => {
    const image = data.images[example.image];
    const element = make("article", undefined, "example");
    const results = example.models.map((model) => image.r.find((one) => one.m === model && (one.k ?? 0) === example.explanation)
      ?? image.r.find((one) => one.m === model)).filter((one) => one);
    const tiles = make("div", undefined, "tiles");
    tiles.append(tile(image), ...results.map((result) => tile(image, result, named)));
    const reason = button(t["example_" + example.kind], () => openImage(image));
    reason.className = "reason";
    tiles.addEventListener("click", () => openImage(image));
    element.append(reason, tiles);
    return element;
  }));
};
// Opens an image among those that are shown, or, where it is not, among all.
const openImage = (image) => {
  if (!shown.includes(image)) {
    at("filters").reset();
    showNumbers();
    choose();
  }
  enlarge(shown.indexOf(image));
};

const focusCard = (place) => {
  if (place < 0 || place >= shown.length) return;
  const of = Math.floor(place / PER_PAGE);
  if (of !== page) {
    page = of;
    draw();
  }
  at("cards").children[place - page * PER_PAGE].querySelector(".open").focus();
};
at("cards").addEventListener("keydown", (event) => {
  const element = event.target.closest(".card");
  if (!element || isTyping(event) || event.ctrlKey || event.altKey || event.metaKey) return;
  const place = page * PER_PAGE + [...at("cards").children].indexOf(element);
  const columns = getComputedStyle(at("cards")).gridTemplateColumns.split(" ").length;
  const keys = {
    ArrowRight: () => focusCard(place + 1), ArrowLeft: () => focusCard(place - 1),
    ArrowDown: () => focusCard(place + columns), ArrowUp: () => focusCard(place - columns),
    x: () => choosePlace(place, !chosen.has(shown[place].n), false),
  };
  if (!(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});
