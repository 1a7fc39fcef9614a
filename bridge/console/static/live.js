"use strict";
const list = document.getElementById("calls"), read = document.getElementById("read");
const pause = document.getElementById("pause"), wanted = new FormData(document.getElementById("wanted"));
const states = document.querySelectorAll("[data-state]");
let paused = false, ended = false, asking = false;

const say = (name) => states.forEach((one) => { one.hidden = one.dataset.state !== name; });

const isHeld = () => {
  const chosen = document.getSelection();
  return list.querySelector("details[open], :focus-visible")
    || (!chosen.isCollapsed && list.contains(chosen.anchorNode));
};

const sayHow = () => { if (!ended) say(paused ? "paused" : isHeld() ? "held" : "live"); };

const take = (page) => {
  const found = new DOMParser().parseFromString(page, "text/html");
  const news = found.getElementById("calls");
  if (isHeld() || paused) return;
  if (news.innerHTML !== list.innerHTML) list.replaceChildren(...news.childNodes);
  read.textContent = found.getElementById("read").textContent;
};

const refresh = async () => {
  if (ended || paused || asking || document.hidden) return;
  if (isHeld()) return sayHow();
  asking = true;
  try {
    const answer = await fetch(location.href, {
      method: "POST", body: wanted, headers: {"X-Refresh": "1"}, redirect: "manual", signal: AbortSignal.timeout(20000),
    });
    ended = answer.type === "opaqueredirect" ? "signed-out" : answer.status === 400 ? "too-old" : false;
    if (ended) return say(ended);
    if (!answer.ok) return say("away");
    take(await answer.text());
    sayHow();
  } catch {
    say("away");
  } finally {
    asking = false;
  }
};

pause.addEventListener("click", () => {
  paused = !paused;
  pause.textContent = paused ? pause.dataset.goOn : pause.dataset.pause;
  sayHow();
  refresh();
});
list.addEventListener("toggle", sayHow, true);
list.addEventListener("focusin", sayHow);
list.addEventListener("focusout", () => setTimeout(sayHow));
document.addEventListener("visibilitychange", refresh);
pause.hidden = false;
sayHow();
setInterval(refresh, Number(list.dataset.every));
