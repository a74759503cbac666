// sheet.mjs: one page that shows every photograph of every walk, by person and stop, so that somebody
// looks at them all in a few minutes. Run by each walk when it ends; `node sheet.mjs FOLDER` makes
// it again.
import fs from "node:fs";
import path from "node:path";

const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const STYLE = `
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:1.5rem}
h2{margin:2rem 0 .5rem;position:sticky;top:0;background:Canvas;padding:.4rem 0}
section{display:flex;gap:1rem;align-items:start;border-top:1px solid GrayText;padding:.8rem 0;flex-wrap:wrap}
h3{flex:0 0 11rem;margin:0;font-size:1rem;overflow-wrap:anywhere}
figure{margin:0}figure img{height:16rem;width:auto;max-width:22rem;object-fit:cover;object-position:top;border:1px solid GrayText;background:#8882}
figcaption{font-size:.85rem}.fault{color:#b00020}nav a{margin-right:1rem}`;

/** Writes FOLDER/index.html from what the walks wrote down. */
export function contactSheet(folder) {
  const records = fs.readdirSync(folder).filter((name) => name.endsWith(".json")).sort()
    .map((name) => JSON.parse(fs.readFileSync(path.join(folder, name), "utf8")));
  const people = new Map();
  for (const { name, photos } of records) {
    for (const photo of photos) {
      const stops = people.get(photo.person) ?? people.set(photo.person, new Map()).get(photo.person);
      const stop = stops.get(photo.label) ?? stops.set(photo.label, []).get(photo.label);
      stop.push({ ...photo, walk: name });
    }
  }
  const faults = records.flatMap(({ name, faults }) => faults.map((fault) => `<li class="fault">${escaped(name)}: ${escaped(fault)}</li>`));
  const figure = (photo) => `<figure><a href="${escaped(encodeURI(photo.file))}"><img loading="lazy" src="${escaped(encodeURI(photo.file))}" alt="${escaped(`${photo.person} ${photo.label}`)}"></a>
<figcaption>${escaped(photo.walk)} · ${photo.width} px ${escaped(photo.scheme)} ${escaped(photo.language)}<br>${escaped(decodeURI(photo.url).slice(0, 60))}</figcaption></figure>`;
  const count = records.reduce((sum, { photos }) => sum + photos.length, 0);
  const html = `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>控制台：${count} 张照片</title><style>${STYLE}</style></head><body>
<h1>控制台：${records.length} 趟，${count} 张照片</h1>
<nav>${[...people.keys()].map((person) => `<a href="#${escaped(person)}">${escaped(person)}</a>`).join("")}</nav>
${faults.length ? `<h2>${faults.length} 处不对</h2><ul>${faults.join("")}</ul>` : "<p>没有发现不对的。</p>"}
${[...people].map(([person, stops]) => `<h2 id="${escaped(person)}">${escaped(person)}</h2>
${[...stops].map(([label, photos]) => `<section><h3>${escaped(label)}</h3>${photos.map(figure).join("\n")}</section>`).join("\n")}`).join("\n")}
</body></html>
`;
  // Walks end side by side: each writes the whole page, under its own name first.
  const own = path.join(folder, `.index-${process.pid}.html`);
  fs.writeFileSync(own, html);
  fs.renameSync(own, path.join(folder, "index.html"));
  return count;
}

if (process.argv[1] === import.meta.filename) {
  process.stdout.write(`${contactSheet(process.argv[2])}\n`);
}
