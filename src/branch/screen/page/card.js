// The card: words that fit, and the time of the branch.

const ZONE = 'Asia/Shanghai';
const clock = new Intl.DateTimeFormat('zh-CN', { timeZone: ZONE, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat('zh-CN', { timeZone: ZONE, month: 'long', day: 'numeric', weekday: 'long' });
const element = (id) => document.getElementById(id);

function say(id, text) {
  if (element(id).textContent !== text) {
    element(id).textContent = text;
    return true;
  }
  return false;
}

// Names are as long as banks make them: a word that is wider than its place is set smaller.
export function fit() {
  for (const word of document.querySelectorAll('.fit')) {
    word.style.fontSize = '';
    const style = getComputedStyle(word);
    const place = parseFloat(style.maxWidth);
    const width = word.getBoundingClientRect().width;
    const natural = word.scrollWidth;
    const wide = Math.max(width, natural);
    if (place > 0 && wide > place) {
      word.style.fontSize = `${Math.floor(parseFloat(style.fontSize) * place / wide * 10) / 10}px`;
    }
  }
}

export function words(playlist) {
  const changed = [say('bank', playlist.bank), say('branch', playlist.branch), say('hotline', playlist.hotline)];
  element('call').hidden = playlist.hotline === '';
  if (changed.some(Boolean)) fit();
}

export function time(nowMs) {
  const now = new Date(nowMs);
  say('time', clock.format(now));
  say('date', day.format(now).replace(/(日)(?=星期)/, '$1 '));
}

const look = new URLSearchParams(location.search).get('look');
const dark = matchMedia('(prefers-color-scheme: dark)');
function dress() {
  const wanted = look === 'dark' || look === 'light' ? look : dark.matches ? 'dark' : 'light';
  document.documentElement.dataset.look = wanted;
}
dark.addEventListener('change', dress);
dress();
element('call').hidden = element('hotline').textContent === '';
addEventListener('resize', fit);
document.fonts.ready.then(fit);
fit();
