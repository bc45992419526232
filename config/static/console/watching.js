// While something is under way, the part of the page that shows it is fetched anew every two seconds.
(() => {
  const PAUSE_MS = 2000;

  const look = async () => {
    const shown = document.getElementById("watched");
    if (!shown || !("watched" in shown.dataset)) return;
    if (!document.hidden) {
      try {
        const answer = await fetch(location.href, { credentials: "same-origin" });
        if (answer.redirected) return; // the session is over
        const arrived = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("watched");
        if (answer.ok && arrived && !shown.contains(document.activeElement)) shown.replaceWith(document.adoptNode(arrived));
      } catch {
        // The server was away: the next look tells.
      }
    }
    setTimeout(look, PAUSE_MS);
  };
  setTimeout(look, PAUSE_MS);
})();
