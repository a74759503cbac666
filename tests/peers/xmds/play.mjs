// One collection of a Xibo player, with the protocol client of a real one: register, required
// files, every file with its MD5, schedule, inventory, statistics, status. Prints what it saw as
// JSON. Arguments: the folder with node_modules, the server, the keys.

import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, cmsUrl, cmsKey, hardwareKey] = process.argv.slice(2);
const require = createRequire(`${modules}/package.json`);
const load = (name) => import(pathToFileURL(require.resolve(name)));
// The client logs to the console; standard output is ours.
console.log = console.info = console.debug = console.error;

const { JSDOM } = await load('jsdom');
const { window } = new JSDOM('');
globalThis.DOMParser = window.DOMParser;
Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { platform: 'Linux', userAgent: 'caishi-peer' } });

const { XmdsClient } = await load('@xiboplayer/xmds');
const client = new XmdsClient({ cmsUrl, cmsKey, hardwareKey, displayName: '测试播放器', retryOptions: { maxRetries: 0 } });

const register = await client.registerDisplay();
const seen = { register, files: [], schedule: null };
if (register.code === 'READY') {
  const { files, purge } = await client.requiredFiles();
  seen.purge = purge;
  for (const file of files) {
    if (file.type === 'resource') {
      const page = await client.getResource(file.layoutid, file.regionid, file.mediaid);
      seen.files.push({ ...file, page });
      continue;
    }
    const pieces = [];
    for (let offset = 0; offset < file.size; offset += 50_000) {
      const base64 = await client.call('GetFile', { serverKey: cmsKey, hardwareKey, fileId: file.id, fileType: file.type, chunkOffset: offset, chuckSize: 50_000 });
      pieces.push(Buffer.from(base64, 'base64'));
    }
    const bytes = Buffer.concat(pieces);
    seen.files.push({
      ...file,
      got: bytes.length,
      gotMd5: createHash('md5').update(bytes).digest('hex'),
      sha256: createHash('sha256').update(bytes).digest('hex'),
      text: file.type === 'layout' ? bytes.toString('utf8') : null,
    });
  }
  seen.schedule = await client.schedule();
  const media = files.filter((file) => file.type === 'media');
  const inventory = media.map((file) => `<file type="media" id="${file.id}" complete="1" md5="${file.md5}" lastChecked="1"/>`);
  seen.inventory = await client.mediaInventory(`<files>${inventory.join('')}</files>`);
  const [layout] = seen.schedule.layouts;
  seen.stats = await client.submitStats(`<stats><stat type="layout" fromdt="2026-11-27 09:30:00" todt="2026-11-27 09:30:15" scheduleid="${layout.scheduleid}" layoutid="${layout.file}" mediaid="" duration="15" count="1"/><stat type="layout" fromdt="2026-11-27 09:30:15" todt="2026-11-27 09:30:30" scheduleid="1" layoutid="1" mediaid="" duration="15" count="1"/></stats>`);
  seen.status = await client.notifyStatus({ currentLayoutId: Number(layout.file), availableSpace: 1000000, deviceName: 'p1' });
  seen.log = await client.submitLog('<logs><log date="2026-11-27 09:30:00" category="Error"><message>屏幕 &amp; 网络</message></log></logs>');
  seen.shot = await client.submitScreenShot('AAAA');
}
process.stdout.write(JSON.stringify(seen));
process.exit(0);
