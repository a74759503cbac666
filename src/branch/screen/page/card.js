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

// Names are as long as banks make them: a word that is wider than its place is set smaller, and on
// two lines where the place has two.
export function fit() {
  for (const word of document.querySelectorAll('.fit')) {
    word.style.fontSize = word.style.whiteSpace = '';
    const style = getComputedStyle(word);
    const size = parseFloat(style.fontSize);
    const place = parseFloat(style.maxWidth);
    const lines = Number(style.getPropertyValue('--lines')) || 1;
    const wide = Math.max(word.getBoundingClientRect().width, word.scrollWidth);
    // The box stops at its place; what is in it need not.
    const range = document.createRange();
    range.selectNodeContents(word);
    const natural = Math.max(wide, range.getBoundingClientRect().width);
    if (!(place > 0) || natural <= place + 1) continue;
    if (lines > 1) word.style.whiteSpace = 'normal';
    const fitting = size * place * (lines > 1 ? lines * 0.88 : 1) / natural;
    word.style.fontSize = `${Math.floor(Math.min(fitting, lines > 1 ? size * 0.74 : size) * 10) / 10}px`;
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
// Before the faces are there, words have other widths.
const faces = ['400', '700'].map((weight) => document.fonts.load(`${weight} 16px "Caishi Sans"`, '财识'));
Promise.allSettled(faces).then(fit);
fit();
