// The tail of the list of traces. A stream tells that spans have come; the list is asked for anew, at most every two
// seconds, so that what is shown is what the page's own filters find. Without this script the list is as it was loaded.
(() => {
  const LEAST_MS = 2000, FIRST_RETRY_MS = 2000, LONGEST_RETRY_MS = 30000;
  let tail = null;

  class Tail {
    constructor(form) {
      this.form = form;
      this.list = form.closest("section");
      this.button = form.querySelector("[data-live-switch]");
      this.hold = form.querySelector("[data-live-pause]");
      this.state = this.list.querySelector("[data-live-state]");
      this.on = false; this.paused = false; this.waiting = 0; this.last = ""; this.retry_ms = FIRST_RETRY_MS;
      this.pause_ms = LEAST_MS; this.looking = false;
      this.button.addEventListener("click", () => (this.on ? this.stop() : this.start()));
      this.hold.addEventListener("click", () => this.pause(!this.paused));
      form.hidden = false;
      if ("on" in form.dataset) this.start();
    }

    say(text) { if (this.state.textContent !== text) this.state.textContent = text; }

    start() {
      this.on = true;
      this.button.setAttribute("aria-pressed", "true");
      this.hold.hidden = false;
      this.address("true");
      this.say("Connecting…");
      this.open();
    }

    stop() {
      this.close();
      this.button.setAttribute("aria-pressed", "false");
      this.hold.hidden = true;
      this.pause(false);
      this.address(null);
      this.say("");
    }

    close() {
      this.on = false;
      if (this.source) this.source.close();
      clearTimeout(this.later);
      clearTimeout(this.soon);
      this.source = this.later = this.soon = null;
    }

    pause(paused) {
      this.paused = paused;
      this.hold.textContent = paused ? "Resume" : "Pause";
      this.hold.setAttribute("aria-pressed", String(paused));
      if (!this.on) return;
      this.say(paused ? "Paused" : "Live");
      if (!paused && this.waiting) this.look();
    }

    // Links and reloads keep what is on.
    address(live) {
      const here = new URL(location.href);
      if (live) here.searchParams.set("live", live); else here.searchParams.delete("live");
      history.replaceState(history.state, "", here);
    }

    async open() {
      let reply;
      try {
        const answer = await fetch(this.form.action, { method: "POST", body: new FormData(this.form) });
        if (answer.redirected || answer.status === 401) { this.stop(); this.say("Sign in again to follow what comes."); return; }
        if (answer.status === 501) { this.stop(); this.say("Tokens are made elsewhere: nothing can be followed here."); return; }
        if (!answer.ok) throw new Error(String(answer.status));
        reply = await answer.json();
      } catch { this.again(); return; }
      if (!this.on) return;
      const resumed = this.last ? `&last_event_id=${encodeURIComponent(this.last)}` : "";
      this.source = new EventSource(`${reply.sse_url}?${this.form.dataset.live}&ticket=${encodeURIComponent(reply.ticket)}${resumed}`);
      this.source.onopen = () => { this.retry_ms = FIRST_RETRY_MS; this.say(this.paused ? "Paused" : "Live"); };
      this.source.onerror = () => this.again();  // also the end of the credential: a ticket opens no second stream
      this.source.addEventListener("trace_created", (event) => { this.last = event.lastEventId; this.heard(1); });
      this.source.addEventListener("dropped", (event) => this.heard(JSON.parse(event.data).count));
      this.source.addEventListener("gap", () => this.heard(1));
    }

    again() {
      if (this.source) this.source.close();
      this.source = null;
      if (!this.on) return;
      this.say("Connecting…");
      clearTimeout(this.later);
      this.later = setTimeout(() => this.open(), this.retry_ms);
      this.retry_ms = Math.min(this.retry_ms * 2, LONGEST_RETRY_MS);
    }

    heard(count) {
      this.waiting += count;
      if (this.paused || document.hidden) {
        if (this.paused) this.say(`Paused: ${this.waiting} new`);
      } else {
        this.look_soon();
      }
    }

    // One look at a time, and one more for what was heard of meanwhile.
    look_soon() {
      if (this.soon || this.looking) return;
      const since = Date.now() - (this.looked || 0);
      this.soon = setTimeout(() => this.look(), Math.max(0, this.pause_ms - since));
    }

    async look() {
      clearTimeout(this.soon);
      this.soon = null;
      if (this.looking) return;
      this.looking = true;
      this.looked = Date.now();
      const heard = this.waiting;
      try {
        const answer = await fetch(location.href, { cache: "no-store", headers: { Accept: "text/html" } });
        if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const rows = page.getElementById("rows");
        if (!rows || !this.on || this.paused || !this.list.isConnected) return;
        this.show(rows);
        this.waiting -= heard;
        this.pause_ms = LEAST_MS;
      } catch {
        this.pause_ms = Math.min(this.pause_ms * 2, LONGEST_RETRY_MS);
      } finally {
        this.looking = false;
        if (this.on && this.waiting && !this.paused && !document.hidden) this.look_soon();
      }
    }

    show(rows) {
      const shown = document.getElementById("rows");
      const links = (of) => [...of.querySelectorAll("tbody td:first-child a")];
      const known = new Set(links(shown).map((link) => link.getAttribute("href")));
      const fresh = links(rows).filter((link) => !known.has(link.getAttribute("href")));
      if (!fresh.length) return;
      const scroll = shown.querySelector(".scroll");
      const left = scroll ? scroll.scrollLeft : 0;
      const at = document.activeElement && shown.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      for (const link of fresh) link.closest("tr").classList.add("fresh");
      const adopted = document.adoptNode(rows);
      shown.replaceWith(adopted);
      htmx.process(adopted);
      if (adopted.querySelector(".scroll")) adopted.querySelector(".scroll").scrollLeft = left;
      if (at) for (const link of links(adopted)) if (link.getAttribute("href") === at) link.focus();
      this.say(fresh.length === 1 ? "Live: 1 new span" : `Live: ${fresh.length} new spans`);
    }
  }

  function make() {
    const form = document.querySelector("[data-live]");
    if (tail && tail.form === form) return;
    if (tail) tail.close();
    tail = form ? new Tail(form) : null;
  }

  document.addEventListener("htmx:afterSettle", make);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && tail && tail.on && !tail.paused && tail.waiting) tail.look();
  });
  // A page that the browser keeps and shows again has its buttons still: only the stream is opened anew.
  let wasOn = false;
  addEventListener("pagehide", () => { wasOn = Boolean(tail && tail.on); if (tail) tail.close(); });
  addEventListener("pageshow", (event) => { if (event.persisted && tail && wasOn) tail.start(); });
  make();
})();
