// Regions that are listed; the rest are one row together.
const LISTED = 12;

// How much of each map lies in each region of the face, beside the region's share of the photograph.
const regionShares = (image, results) => {
  const maps = results.filter((result) => result.w);
  if (maps.length === 0) return [];
  const shares = [...maps.map((result) => new Map(result.w)), new Map(image.w)];
  const most = (place) => Math.max(...shares.slice(0, -1).map((one) => one.get(place) ?? 0));
  const all = data.regions.map((_, place) => place).filter((place) => shares.some((one) => one.has(place)));
  const listed = new Set([...all].sort((a, b) => most(b) - most(a)).slice(0, LISTED));
  const table = make("table", undefined, "shares");
  table.append(make("caption", t.share_by_region));
  const head = table.createTHead().insertRow();
  for (const title of [t.region, ...maps.map(named), t.region_area]) {
    const th = make("th", title);
    th.scope = "col";
    head.append(th);
  }
  const body = table.createTBody();
  const row = (title, values, place) => {
    const tr = body.insertRow();
    const th = make("th", title);
    th.scope = "row";
    tr.append(th);
    values.forEach((value, column) => {
      const td = tr.insertCell();
      if (column < maps.length) {
        const bar = make("span", undefined, "share");
        bar.style.width = value * 100 + "%";
        td.append(bar);
      }
      td.append(percent(value));
      if (place !== undefined && maps[column]?.z === place) td.append(make("span", t.peak_here, "peak"));
    });
  };
  for (const place of all.filter((one) => listed.has(one))) row(data.regions[place], shares.map((one) => one.get(place) ?? 0), place);
  const rest = all.filter((place) => !listed.has(place));
  if (rest.length > 0) row(t.other_regions, shares.map((one) => rest.reduce((sum, place) => sum + (one.get(place) ?? 0), 0)));
  const scroll = make("div", undefined, "scroll");
  scroll.append(table);
  return [scroll];
};
