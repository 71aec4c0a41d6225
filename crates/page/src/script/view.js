// What is asked for, by field, and what each has where nothing is asked.
const names = ["model", "explanation", "fold", "class", "predicted", "outcome", "status", "peak", "low", "high", "differ", "border", "subject",
  "name", "chosen", "tag", "sort", "show", "colours", "opacity", "threshold", "scale"];
const field = Object.fromEntries(names.map((name) => [name, at("f-" + name) ?? { value: "", initial: "" }]));
const get = (name) => field[name].type === "checkbox" ? (field[name].checked ? "1" : "") : field[name].value;
const set = (name, value) => {
  const one = field[name];
  if (one.type === "checkbox") one.checked = value === "1";
  else if (one instanceof HTMLElement) {
    one.value = value;
    // A list has nothing where it has no such entry.
    if (one instanceof HTMLSelectElement && one.selectedIndex < 0) one.value = one.initial;
  }
};

const fill = (name, values) => values.forEach(([value, text]) => {
  if (!(field[name] instanceof HTMLSelectElement)) return;
  const option = make("option", text);
  option.value = value;
  field[name].append(option);
});
const places = (all, text = (one) => one) => all.map((one, place) => [place, text(one)]);
fill("model", places(data.models, (model) => model.name));
fill("explanation", places(data.explanations));
fill("fold", places(data.folds));
fill("class", places(data.classes));
fill("predicted", places(data.classes));
fill("outcome", data.outcomes.map((name) => [name, t[name]]));
fill("status", data.statuses.map((name) => [name, state(name)]));
fill("peak", places(data.regions));
names.forEach((name) => { field[name].initial = get(name); });

// A link to the page shows what it showed: all that is not as at first stands in the address.
const address = () => {
  const asked = new URLSearchParams();
  for (const name of names) if (get(name) !== field[name].initial) asked.set(name, get(name));
  if (page > 0) asked.set("page", page + 1);
  if (open >= 0) asked.set("image", shown[open].n);
  return asked.toString();
};
let written = "";
let waiting;
const writeAddress = () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    // A link that was just followed is read first.
    const now = location.hash.slice(1);
    if (now !== written && now.includes("=")) return;
    written = address();
    if (written !== location.hash.slice(1)) history.replaceState(null, "", written ? "#" + written : location.pathname + location.search);
  }, 200);
};
// Whether the address asks for something of the gallery.
const readAddress = () => {
  if (!location.hash.includes("=")) return false;
  written = location.hash.slice(1);
  const asked = new URLSearchParams(written);
  names.forEach((name) => set(name, asked.get(name) ?? field[name].initial));
  showNumbers();
  choose(Number(asked.get("page")) - 1);
  const image = asked.get("image");
  const place = image === null ? -1 : shown.findIndex((one) => one.n === image);
  if (place >= 0) enlarge(place);
  else if (open >= 0) leave();
  return true;
};

// The numbers beside sliders.
const showNumbers = () => {
  const [low, high] = [Number(field.low.value), Number(field.high.value)];
  at("confidence").textContent = say(t.from_to, { low: percent(low / 100, 0), high: percent(Math.max(low, high) / 100, 0) });
  at("opacity").textContent = percent(Number(field.opacity.value) / 100, 0);
  at("threshold").textContent = number(Number(field.threshold.value) / 100, 2);
  const more = ["fold", "predicted", "status", "peak", "low", "high", "differ", "border", "subject", "chosen", "tag"];
  if (more.some((name) => get(name) !== field[name].initial)) at("more").open = true;
};

const wanted = (result) => (field.model.value === "" || result.m === Number(field.model.value))
  && (field.explanation.value === "" || (result.k ?? 0) === Number(field.explanation.value) || result.s === undefined);

// The images that are asked for, in order.
const chosenImages = () => {
  const is = (name) => get(name) !== field[name].initial;
  const tests = [];
  const test = (name, holds) => { if (is(name)) tests.push(holds); };
  const [low, high] = [Number(field.low.value) / 100, Number(field.high.value) / 100];
  test("model", wanted);
  test("explanation", wanted);
  test("class", (result) => result.l === Number(field.class.value));
  test("predicted", (result) => result.q === Number(field.predicted.value));
  test("outcome", (result) => result.o === field.outcome.value);
  test("status", (result) => result.s === field.status.value);
  test("peak", (result) => result.z === Number(field.peak.value));
  // A bin of the histogram is open below, but the first.
  test("low", (result) => result.c > low);
  test("high", (result) => result.c <= high);
  test("border", (result) => result.i === 1 && result.s === "ok");
  const fits = (result) => tests.every((holds) => holds(result));
  const name = field.name.value.toLowerCase();
  const subject = field.subject.value.toLowerCase();
  const tag = field.tag.value.toLowerCase();
  return data.images.filter((image) => (!is("fold") || image.f === Number(field.fold.value))
    && (name === "" || image.n.toLowerCase().includes(name))
    && (subject === "" || image.u?.toLowerCase() === subject)
    && (!is("differ") || image.differ)
    && (!is("chosen") || chosen.has(image.n))
    && (tag === "" || notes.get(image.n)?.tags.some((one) => one.toLowerCase() === tag))
    && (tests.length === 0 || image.r.some(fits)));
};
// The measure that images are in order by: its place, and whether the best map is first.
const orderedBy = () => {
  const [, end, name] = /^(best|worst)-(.+)$/.exec(field.sort.value) ?? [];
  const place = data.measures.findIndex((one) => one.name === name);
  return place < 0 ? undefined : { place, best: end === "best" };
};
const measured = (result, place) => result.t?.find(([one]) => one === place)?.[1];
const sorted = (images) => {
  const first = (image, value, none) => {
    const result = image.r.find((one) => wanted(one) && value(one) !== undefined);
    return result ? value(result) : none;
  };
  const confidence = (none) => (image) => first(image, (result) => result.c, none);
  const order = orderedBy();
  const up = order && data.measures[order.place].up === order.best ? -1 : 1;
  const by = order ? [(image) => first(image, (result) => measured(result, order.place), up * Infinity), up] : {
    high: [confidence(-1), -1],
    low: [confidence(2), 1],
    disagree: [(image) => image.g ?? 2, 1],
    agree: [(image) => image.g ?? -2, -1],
    spread: [(image) => first(image, (result) => result.b === undefined ? undefined : spread(result), -1), -1],
    narrow: [(image) => first(image, (result) => result.b === undefined ? undefined : spread(result), 2), 1],
  }[field.sort.value];
  if (!by) return images;
  const keys = new Map(images.map((image) => [image, by[0](image)]));
  return images.sort((a, b) => by[1] * (keys.get(a) - keys.get(b)));
};
