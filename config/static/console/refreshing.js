// A part of the page with data-refresh-s shows how far something is: it alone is read again while anybody looks.
// When nothing is under way any more the page has none, and is loaded anew with what came of it.
const FAILURES_MAX = 5;
const part = document.querySelector("[data-refresh-s]");
let failures = 0;

const refresh = async () => {
  if (document.visibilityState === "visible") {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.getElementById(part.id);
      const rows = (each) => each.querySelectorAll("tbody tr").length;
      if (!now || rows(now) < rows(part)) return location.reload();
      part.replaceChildren(...now.childNodes);
      failures = 0;
    } catch {
      failures += 1;
    }
  }
  if (failures < FAILURES_MAX) setTimeout(refresh, Number(part.dataset.refreshS) * 1000);
};

if (part) setTimeout(refresh, Number(part.dataset.refreshS) * 1000);
