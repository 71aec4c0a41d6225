const data = JSON.parse(document.getElementById("data").textContent);
const t = data.text;
const at = (id) => document.getElementById(id);

const make = (tag, text, name) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (name) element.className = name;
  return element;
};
const button = (text, action) => {
  const element = make("button", text);
  element.type = "button";
  element.addEventListener("click", action);
  return element;
};
const say = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => key in values ? values[key] : whole);
const number = (value, digits) => value.toLocaleString(data.language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "\u2212");
const percent = (value, digits = 1) => number(value * 100, digits) + "\u00a0%";
const url = (run, path) => [data.folders[run], path].filter((part) => part !== ".").join("/")
  .split("/").map((part, place) => place === 0 && /^[A-Za-z]:$/.test(part) ? "file:///" + part : part === ".." ? part : encodeURIComponent(part)).join("/");
const state = (status) => t["state_" + status] ?? status;
const className = (place) => place === undefined ? t.unknown_class : data.classes[place];
const marks = { Right: "✓", Wrong: "✗", Unknown: "?" };
const explanationName = (place) => data.explanations[place ?? 0];
// A tile does not say again what the gallery was asked for.
const label = (result) => field.model.value !== "" && data.explanations.length > 1 && result.s !== undefined ? explanationName(result.k)
  : field.explanation.value !== "" ? data.models[result.m].name : named(result);
const named = (result) => data.models[result.m].name + (data.explanations.length > 1 && result.s !== undefined ? ", " + explanationName(result.k) : "");
const isTyping = (event) => event.target instanceof HTMLElement && event.target.matches("input:not([type=checkbox]):not([type=range]), select, textarea");

// One attribution and its result: m model, k explanation, r run, l true class, q predicted class, c confidence, o outcome, s status,
// x largest value of the map, y what its cells are shares of where that is not x, b the map's cells, i whether it is largest in a
// border cell, t measures of trust, w shares of the map by region, z the region in which it is highest, v overlay, h small picture,
// p likeliest classes, e error. Of an image: n path, f fold, u subject, g mean correlation of its maps, a pairs of maps, w shares of
// the photograph by region, r its attributions.
for (const image of data.images) {
  const predicted = new Set();
  for (const result of image.r) if (result.q !== undefined) predicted.add(result.q);
  image.differ = predicted.size > 1;
}
