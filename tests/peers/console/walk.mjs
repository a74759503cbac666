// walk.mjs: people at the console, in Chromium.
//
// Reads one JSON object from standard input: { story, name, url, shots, width, height, scheme,
// scripts, invitations: {person: url}, lesson, routes }. Asks its starter for what no browser can do
// by writing a line “@ …” and waiting for a line back (“@ edit”: the author mends the text; “@
// monday”: the slot fires and is delivered; and others that walk.rs knows). Ends with one JSON
// object, the photographs in a folder of the walk's name, and index.html beside it; exit 0 without
// faults.
//
//   day.mjs     everybody's day, with a mouse or a finger
//   keys.mjs    everybody's deeds with nothing but the keyboard
//   pages.mjs   every page there is: both languages, light, dark, more contrast, small, large
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { day } from "./day.mjs";
import { keys } from "./keys.mjs";
import { pages } from "./pages.mjs";
import { Walk } from "./people.mjs";
import { contactSheet } from "./sheet.mjs";

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const want = JSON.parse((await lines.next()).value);
const ask = async (what) => {
  process.stdout.write(`@ ${what}\n`);
  const { value } = await lines.next();
  if (value !== "done") throw new Error(`${what}: ${value}`);
};

const walk = await Walk.begin(want, ask);
let told = {};
try {
  told = await { day, keys, pages }[want.story](walk) ?? {};
} catch (error) {
  walk.fault("story", error.stack || String(error));
}
await walk.browser.close();
fs.writeFileSync(path.join(want.shots, `${want.name}.json`), JSON.stringify({ name: want.name, photos: walk.photos, faults: walk.faults }));
contactSheet(want.shots);
const result = JSON.stringify({ visited: walk.photos.length, ...told, faults: walk.faults });
// More than a pipe holds at once: it must be out before the process ends.
await new Promise((resolve) => process.stdout.write(`${result}\n`, resolve));
process.exit(walk.faults.length ? 1 : 0);
