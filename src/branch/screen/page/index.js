// What stands on each screen, looked at every few seconds.

async function look(row) {
  const words = row.querySelector('.standing');
  const image = row.querySelector('img');
  try {
    const answer = await fetch(`/playlist?screen=${encodeURIComponent(row.dataset.screen)}`);
    const playlist = await answer.json();
    const round = playlist.items.reduce((sum, item) => sum + item.dwell_ms, 0);
    let at = playlist.now_ms % round;
    const item = playlist.items.find((one) => (at -= one.dwell_ms) < 0);
    if (item) {
      const position = playlist.items.indexOf(item) + 1;
      words.textContent = `${item.takeover ? '紧急插播' : '正在播放'}：${item.alt}（第 ${position} 张，共 ${playlist.items.length} 张）`;
      image.src = `/poster/${item.sha256}`;
      image.alt = item.alt;
    } else {
      words.textContent = '眼下没有海报可放，显示待机卡';
      image.removeAttribute('src');
    }
  } catch {
    words.textContent = '播放服务没有回应';
    image.removeAttribute('src');
  }
}

const all = () => document.querySelectorAll('.screen').forEach(look);
all();
setInterval(all, 4_000);
