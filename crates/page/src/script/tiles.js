// Canvases are drawn where they are seen, and again when what they show changes.
const seen = new Set();
const drawn = new WeakMap();
let version = 0;
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting) seen.add(entry.target);
    else seen.delete(entry.target);
  }
  repaint();
}, { rootMargin: "200px" });
const paintOne = (canvas) => {
  if (drawn.get(canvas) === version) return;
  drawn.set(canvas, version);
  paint(canvas, canvas.result);
};
let planned = false;
const repaint = () => {
  if (planned) return;
  planned = true;
  requestAnimationFrame(() => {
    planned = false;
    for (const canvas of seen) {
      if (canvas.isConnected) paintOne(canvas);
      else { seen.delete(canvas); watcher.unobserve(canvas); }
    }
  });
};

// A third of an image's small picture: 0 the original, 2 the overlay of the run.
const part = (image, result, third) => {
  const element = make("img");
  element.loading = "lazy";
  element.decoding = "async";
  // A page that holds its pictures has them in place of their paths.
  element.src = result.h.startsWith("data:image/") ? result.h : url(result.r, result.h);
  element.className = third === 0 ? "original" : "own";
  element.alt = third === 0 ? say(t.photo_alt, { name: image.n }) : say(t.overlay_alt, { name: image.n, model: named(result) });
  return element;
};
// The largest side of a canvas.
const SIDE = 240;
const picture = (image, result) => {
  const frame = make("div", undefined, "picture");
  const source = result?.h ? result : image.r.find((one) => one.h);
  if (!source) return frame;
  const own = Boolean(result?.h) && field.show.value === "run";
  const photo = part(image, source, own ? 2 : 0);
  frame.append(photo);
  const shape = () => {
    const [width, height] = [photo.naturalWidth / 3, photo.naturalHeight];
    if (!(width > 0)) return;
    frame.style.setProperty("--ratio", width / height);
    if (!canvas) return;
    const scale = SIDE / Math.max(width, height);
    const size = [width, height].map((side) => Math.max(Math.round(side * scale), GRID));
    if (canvas.width !== size[0] || canvas.height !== size[1]) {
      [canvas.width, canvas.height] = size;
      drawn.delete(canvas);
      repaint();
    }
  };
  let canvas;
  if (result !== undefined && !own) {
    if (result.b !== undefined && result.s === "ok") {
      canvas = make("canvas");
      [canvas.width, canvas.height] = [SIDE, SIDE];
      canvas.result = result;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", say(t.map_alt, { name: image.n, model: named(result) }));
      frame.append(canvas);
      watcher.observe(canvas);
    } else {
      frame.classList.add("no-map");
    }
  }
  photo.addEventListener("load", shape);
  return frame;
};

// What a network says of an image, in a few characters.
const badge = (result) => {
  const element = make("span", undefined, "badge " + (result.o ?? ""));
  if (result.q === undefined) {
    element.textContent = t.failed;
    return element;
  }
  element.append(make("span", marks[result.o]), " " + className(result.q) + " " + percent(result.c, 0));
  element.title = say(t.badge_title, { truth: className(result.l), predicted: className(result.q), confidence: percent(result.c), outcome: t[result.o] });
  element.firstChild.setAttribute("aria-label", t[result.o]);
  element.firstChild.setAttribute("role", "img");
  return element;
};
const unread = (result) => {
  const element = make("span", say(t.unreadable_line, { status: state(result.s) }), "unread");
  element.title = result.s;
  return element;
};
const tile = (image, result, name = label) => {
  const figure = make("figure", undefined, "tile");
  const caption = make("figcaption");
  if (result === undefined) {
    caption.append(make("span", t.original, "of"), make("span", className(image.r.find((one) => one.l !== undefined)?.l), "truth"));
  } else {
    caption.append(make("span", name(result), "of"), badge(result));
    if (result.s !== undefined && result.s !== "ok") caption.append(unread(result));
    const order = orderedBy();
    const value = order && measured(result, order.place);
    if (value !== undefined) caption.append(make("span", data.measures[order.place].title + " " + number(value, 3), "of"));
  }
  figure.append(picture(image, result), caption);
  return figure;
};
