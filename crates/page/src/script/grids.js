// Cells of a grid on a side.
const GRID = 14;

const isSigned = (result) => data.models[result.m].signed.includes(result.k ?? 0);

// The shares of a map's cells, row by row; nothing where it has none.
const cells = (result) => {
  if (result.b === undefined) return undefined;
  const bytes = atob(result.b);
  const signed = isSigned(result);
  const shares = new Float32Array(GRID * GRID);
  for (let cell = 0; cell < shares.length; cell++) {
    const level = bytes.charCodeAt(cell);
    shares[cell] = signed ? Math.max((level - 128) / 127, -1) : level / 255;
  }
  return shares;
};

// For each of `size` pixels the two cells around it, and the weight of the second.
const between = (size) => Array.from({ length: size }, (_, pixel) => {
  const place = Math.min(Math.max((pixel + 0.5) * GRID / size - 0.5, 0), GRID - 1);
  const first = Math.min(Math.floor(place), GRID - 2);
  return [first, place - first];
});

// The share at a place, by shares of width and height.
const shareAt = (shares, x, y) => {
  const along = (share) => {
    const place = Math.min(Math.max(share * GRID - 0.5, 0), GRID - 1);
    const first = Math.min(Math.floor(place), GRID - 2);
    return [first, place - first];
  };
  const [[column, right], [row, below]] = [along(x), along(y)];
  const line = (from) => shares[from] * (1 - right) + shares[from + 1] * right;
  return line(row * GRID + column) * (1 - below) + line((row + 1) * GRID + column) * below;
};

const tables = {};
// 256 colours as bytes: red, green, blue.
const table = (name) => tables[name] ??= Uint8Array.from({ length: 768 }, (_, place) => parseInt(data.colours[name].slice(2 * place, 2 * place + 2), 16));

// What a map's shares are shares of. A report of an earlier version does not have it of signed maps.
const top = (result) => result.y ?? (isSigned(result) ? undefined : result.x);

// The largest of these of all maps, by model and explanation, and by explanation.
const largest = new Map();
for (const image of data.images) {
  for (const result of image.r) {
    const own = top(result);
    if (own === undefined || result.s !== "ok") continue;
    for (const key of [result.m + "," + (result.k ?? 0), "," + (result.k ?? 0)]) largest.set(key, Math.max(largest.get(key) ?? 0, own));
  }
}
const hasSignedTops = data.images.some((image) => image.r.some((result) => isSigned(result) && result.y !== undefined));

// What a map's shares are multiplied by on the scale that was chosen.
const factor = (result) => {
  const scale = field.scale.value;
  const own = top(result);
  if (scale === "map" || own === undefined) return 1;
  const most = largest.get((scale === "network" ? result.m : "") + "," + (result.k ?? 0));
  return most > 0 ? own / most : 1;
};

// Draws a map. Over the photograph it is the clearer, the larger its value.
const paint = (canvas, result) => {
  const shares = cells(result);
  if (!shares) return;
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  const picture = context.createImageData(width, height);
  const colours = table(isSigned(result) ? "diverging" : field.colours.value);
  const signed = isSigned(result);
  const alone = field.show.value === "alone";
  const [opacity, threshold, times] = [Number(field.opacity.value) / 100, Number(field.threshold.value) / 100, factor(result)];
  const columns = between(width);
  const line = new Float32Array(GRID);
  between(height).forEach(([row, below], y) => {
    for (let cell = 0; cell < GRID; cell++) line[cell] = shares[row * GRID + cell] * (1 - below) + shares[(row + 1) * GRID + cell] * below;
    for (let x = 0; x < width; x++) {
      const [column, right] = columns[x];
      const share = Math.min((line[column] * (1 - right) + line[column + 1] * right) * times, 1);
      const colour = 3 * Math.round(signed ? (share + 1) * 127.5 : share * 255);
      const size = Math.abs(share);
      const pixel = 4 * (y * width + x);
      picture.data[pixel] = colours[colour];
      picture.data[pixel + 1] = colours[colour + 1];
      picture.data[pixel + 2] = colours[colour + 2];
      picture.data[pixel + 3] = alone ? 255 : size < threshold ? 0 : Math.round(255 * opacity * size);
    }
  });
  context.putImageData(picture, 0, 0);
};

// Bars of the scales that are in use, with their numbers.
const drawBars = () => {
  const kinds = [...new Set(data.models.flatMap((model) => data.explanations.map((_, place) => model.signed.includes(place))))].sort();
  const scale = t["scale_of_" + field.scale.value];
  const scaleSigned = t["scale_signed_" + (hasSignedTops ? field.scale.value : "map")];
  at("bars").replaceChildren(...kinds.map((signed) => {
    const bar = make("figure", undefined, "scale");
    const canvas = make("canvas");
    [canvas.width, canvas.height] = [256, 1];
    canvas.setAttribute("aria-hidden", "true");
    const colours = table(signed ? "diverging" : field.colours.value);
    const picture = canvas.getContext("2d").createImageData(256, 1);
    const threshold = Number(field.threshold.value) / 100;
    for (let x = 0; x < 256; x++) {
      const size = Math.abs(signed ? x / 127.5 - 1 : x / 255);
      picture.data.set([...colours.slice(3 * x, 3 * x + 3), field.show.value !== "alone" && size < threshold ? 0 : 255], 4 * x);
    }
    canvas.getContext("2d").putImageData(picture, 0, 0);
    const ends = make("span", undefined, "ends");
    const numbers = signed ? [-1, 0, 1] : [0, 0.5, 1];
    ends.append(...numbers.map((end) => make("span", number(end, Number.isInteger(end) ? 0 : 1))));
    bar.append(canvas, ends, make("figcaption", signed ? scaleSigned : scale));
    return bar;
  }));
};

// How evenly a map is spread over its cells: 0 of one cell, 1 of all alike.
const spread = (result) => {
  if (result.spread !== undefined) return result.spread;
  const sizes = (cells(result) ?? []).map(Math.abs);
  const sum = sizes.reduce((all, size) => all + size, 0);
  let entropy = 0;
  for (const size of sizes) if (size > 0) entropy -= size / sum * Math.log(size / sum);
  return result.spread = entropy / Math.log(GRID * GRID);
};
