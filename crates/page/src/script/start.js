const changed = (event) => {
  showNumbers();
  const name = event?.target?.id?.slice(2);
  // Pictures of the run are other elements than canvases; all else of the drawing is drawn anew on those that are there.
  if (["colours", "opacity", "threshold", "scale"].includes(name)) {
    version += 1;
    drawBars();
    repaint();
    writeAddress();
  } else {
    version += 1;
    drawBars();
    choose(name === "show" ? page : 0);
  }
};
for (const form of [at("filters"), at("drawing")]) {
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(changed));
}
at("previous").addEventListener("click", () => turn(-1));
at("next").addEventListener("click", () => turn(1));
for (const only of document.querySelectorAll(".only")) {
  only.addEventListener("click", () => {
    at("filters").reset();
    field.model.value = only.dataset.model;
    field.explanation.value = only.dataset.explanation ?? "";
    field.status.value = only.dataset.status;
    changed();
    at("gallery").scrollIntoView();
  });
}
at("choice-all").addEventListener("click", () => chooseImages(shown, true));
at("choice-none").addEventListener("click", () => chooseImages(data.images, false));
at("choice-csv").addEventListener("click", () => save("images.csv", "text/csv", csv()));
at("choice-list").addEventListener("click", () => save("images.txt", "text/plain", list()));
at("choice-command").addEventListener("click", () => tell(command()));
at("notes-save").addEventListener("click", () => save("notes.json", "application/json", kept()));
at("notes-read").addEventListener("change", async (event) => {
  const file = event.target.files[0];
  if (!file) return;
  try {
    tell(say(t.notes_read_n, { n: number(take(await file.text()), 0) }));
    keep();
  } catch {
    tell(t.no_notes);
  }
  event.target.value = "";
  showChoice();
  choose(page);
});
window.addEventListener("hashchange", () => {
  if (location.hash.slice(1) === written) return;
  version += 1;
  if (readAddress()) {
    drawBars();
    if (open < 0) at("gallery").scrollIntoView();
  }
});
// On paper there are no fields, so it says what was asked for.
const asked = () => names.filter((name) => field[name] instanceof HTMLElement && get(name) !== field[name].initial).map((name) => {
  const one = field[name];
  const title = one.getAttribute("aria-label") ?? one.closest("label").firstChild.textContent.trim();
  const value = one.selectedOptions?.[0].textContent ?? (one.type === "checkbox" ? "" : one.value);
  return one.type === "checkbox" ? one.closest("label").textContent.trim() : title + ": " + value;
}).join("; ");
window.addEventListener("beforeprint", () => {
  at("asked").textContent = asked();
  document.querySelectorAll("details:not(.how)").forEach((one) => { one.open = true; });
  document.querySelectorAll("img").forEach((one) => { one.loading = "eager"; });
  document.querySelectorAll(".tile canvas").forEach(paintOne);
});

try { take(localStorage.getItem(KEY) ?? '{"images":{}}'); } catch { tell(t.not_kept); }
showChoice();
showNumbers();
drawBars();
if (!readAddress()) choose();
else if (open < 0) at("gallery").scrollIntoView();
