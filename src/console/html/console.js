// Makes boards live and saves some typing. Every page works without it.
"use strict";

// A part with data-live="5" is fetched again every so many seconds, as the same page, and only
// replaced where it differs; never under somebody's fingers.
for (const part of document.querySelectorAll("[data-live]")) {
  const seconds = Math.max(2, Number(part.dataset.live) || 5);
  const refresh = async () => {
    if (document.hidden || part.contains(document.activeElement)) return;
    try {
      const answer = await fetch(location.href, { headers: { "X-Requested-With": "fetch" } });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(part.id);
      if (fresh && fresh.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) {
        part.innerHTML = fresh.innerHTML;
      }
    } catch { /* The service may be restarting: what is shown stays, the next round asks again. */ }
  };
  setInterval(refresh, seconds * 1000);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-print]");
  if (!button) return;
  if (button.dataset.copy !== undefined) {
    navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = button.dataset.done || "✓";
  } else {
    window.print();
  }
});

// Enter in a field that has a button of its own presses that button.
document.addEventListener("keydown", (event) => {
  const button = event.key === "Enter" && !event.isComposing && event.target.dataset?.enter;
  if (!button) return;
  event.preventDefault();
  document.getElementById(button).click();
});

// A form is sent once.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// Buttons that need the script are hidden without it.
for (const hidden of document.querySelectorAll("[data-needs-script]")) hidden.hidden = false;
