// Choice, notes and tags are kept in the browser, under the page's own address.
const KEY = "burncam " + location.pathname;
const chosen = new Set();
const notes = new Map();
const known = new Set(data.images.map((image) => image.n));

// What a file or the browser holds of images that are here. Anything may stand in it.
const take = (text) => {
  const images = JSON.parse(text)?.images;
  if (typeof images !== "object" || images === null || Array.isArray(images)) throw new Error(t.no_notes);
  let count = 0;
  for (const [name, one] of Object.entries(images)) {
    if (!known.has(name) || typeof one !== "object" || one === null) continue;
    count += 1;
    if (one.chosen === true) chosen.add(name);
    const note = typeof one.note === "string" ? one.note : "";
    const tags = Array.isArray(one.tags) ? one.tags.filter((tag) => typeof tag === "string" && tag.trim() !== "") : [];
    if (note || tags.length > 0) notes.set(name, { note, tags });
  }
  return count;
};
const kept = () => {
  const names = [...known].filter((name) => chosen.has(name) || notes.has(name));
  const one = (name) => ({ chosen: chosen.has(name), note: notes.get(name)?.note ?? "", tags: notes.get(name)?.tags ?? [] });
  return JSON.stringify({ images: Object.fromEntries(names.map((name) => [name, one(name)])) }, null, 1);
};
const keep = () => {
  // A browser may forbid it, or be full.
  try { localStorage.setItem(KEY, kept()); } catch { tell(t.not_kept); }
};
const tell = (text) => { at("told").textContent = text; };

const showChoice = () => {
  at("chosen").textContent = say(t.chosen_n, { n: number(chosen.size, 0) });
  for (const name of ["csv", "list", "command", "none"]) at("choice-" + name).disabled = chosen.size === 0;
  const tags = [...new Set([...notes.values()].flatMap((one) => one.tags))].sort();
  at("tags").replaceChildren(...tags.map((tag) => {
    const option = make("option");
    option.value = tag;
    return option;
  }));
};
const chooseImages = (images, is) => {
  images.forEach((image) => is ? chosen.add(image.n) : chosen.delete(image.n));
  [...at("cards").children].forEach((element, place) => {
    element.querySelector("input").checked = chosen.has(shown[page * PER_PAGE + place].n);
  });
  showChoice();
  keep();
};
let last = -1;
const choosePlace = (place, is, toLast) => {
  const from = toLast && last >= 0 && last < shown.length ? last : place;
  chooseImages(shown.slice(Math.min(from, place), Math.max(from, place) + 1), is);
  last = place;
};

const noteFields = (image) => {
  const [note, tags] = [make("textarea"), make("input")];
  note.id = "large-note";
  note.rows = 3;
  tags.setAttribute("list", "tags");
  const own = notes.get(image.n);
  [note.value, tags.value] = [own?.note ?? "", own?.tags.join(", ") ?? ""];
  const change = () => {
    const all = tags.value.split(",").map((tag) => tag.trim()).filter((tag) => tag !== "");
    if (note.value || all.length > 0) notes.set(image.n, { note: note.value, tags: all });
    else notes.delete(image.n);
    showChoice();
    keep();
  };
  return [[t.note, note], [t.tags, tags]].map(([text, element]) => {
    element.addEventListener("input", change);
    const label = make("label", text);
    label.append(element);
    return label;
  });
};

const save = (name, type, text) => {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};
const chosenInOrder = () => data.images.filter((image) => chosen.has(image.n));
const csv = () => {
  // A spreadsheet would compute a text that begins like a formula.
  const cell = (value) => {
    const text = String(value ?? "");
    const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? "'" + text : text;
    return /[",\r\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  };
  const rows = [["path", "fold", "subject", "model", "true_class", "predicted", "confidence", "outcome", "note", "tags"]];
  for (const image of chosenInOrder()) {
    const own = notes.get(image.n);
    const first = image.r.filter((result, place) => image.r.findIndex((one) => one.m === result.m) === place);
    for (const result of first) {
      const name = (place) => place === undefined ? "" : data.classes[place];
      rows.push([image.n, data.folds[image.f], image.u, data.models[result.m].name, name(result.l), name(result.q), result.c, result.o, own?.note, own?.tags.join("; ")]);
    }
  }
  return rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
};
const list = () => chosenInOrder().map((image) => image.n + "\n").join("");
const command = () => {
  const quoted = (text) => /^[\w.,:/=+-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\\''") + "'";
  const pairs = data.models.flatMap((model, m) => data.explanations.map((_, k) => ({ m, k })));
  const columns = pairs.filter((one) => wanted(one) && data.models[one.m].explained.includes(one.k))
    .map((one) => data.models[one.m].name + ":" + data.models[one.m].names[data.models[one.m].explained.indexOf(one.k)]);
  return "cargo xtask figure RESULTS --images images.txt --columns " + quoted(["original", ...columns].join(",")) + " --out figure.pdf";
};
