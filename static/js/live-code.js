// The code on the card that changes every minute: fetched anew when its time is over, without a reload.
// The page around it holds a link for those without script; a code that could not be renewed says so.
const RETRY = 5000;
const place = document.querySelector("[data-live-code]");
const stale = document.querySelector("[data-live-code-stale]");
let timer = 0;
let renewAt = 0;

function plan(delay) {
  clearTimeout(timer);
  renewAt = performance.now() + delay;
  timer = setTimeout(renew, delay);
}

function planNext() {
  const seconds = Number(place.querySelector("[data-seconds-left]")?.dataset.secondsLeft);
  plan((seconds || 1) * 1000);
}

async function renew() {
  try {
    const answer = await fetch(place.dataset.liveCode, { cache: "no-store" });
    if (answer.redirected) {
      // The session is over: the page itself leads to where one signs in.
      location.reload();
      return;
    }
    if (!answer.ok) {
      throw new Error(answer.statusText);
    }
    place.innerHTML = await answer.text();
    stale.hidden = true;
    planNext();
  } catch {
    stale.hidden = false;
    plan(RETRY);
  }
}

if (place) {
  document.querySelector("[data-live-code-static]").hidden = true;
  planNext();
  // Timers sleep while a phone is locked.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && performance.now() >= renewAt) {
      renew();
    }
  });
  addEventListener("pageshow", (event) => event.persisted && renew());
}
