// What pages do beside links and forms: themes, copying, suggestions, menus that close. All of it works without.
(() => {
  const root = document.documentElement;
  const THEMES = ["auto", "light", "dark"];

  function theme() { return root.dataset.theme || "auto"; }

  function show_theme() {
    for (const name of document.querySelectorAll("[data-theme-name]")) name.textContent = theme();
  }

  function next_theme() {
    const chosen = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
    if (chosen === "auto") delete root.dataset.theme; else root.dataset.theme = chosen;
    try { localStorage.setItem("theme", chosen); } catch { /* then it holds for this page alone */ }
    show_theme();
    document.dispatchEvent(new CustomEvent("theme"));
  }

  async function copy(button) {
    const text = button.parentElement.querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(button.parentElement.querySelector("code"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  async function suggest(box) {
    if (box.dataset.asked) return;
    box.dataset.asked = "yes";
    const answer = await fetch(box.dataset.values, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const list = box.list;
    for (const value of (await answer.json()).values) {
      const option = document.createElement("option");
      option.value = value;
      list.append(option);
    }
  }

  function close_menus(but) {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(but)) menu.open = false;
  }

  document.addEventListener("click", (event) => {
    close_menus(event.target);
    if (event.target.closest("[data-theme-switch]")) next_theme();
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest("details.menu[open]");
    close_menus(null);
    if (menu) menu.querySelector("summary").focus();
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.dataset && event.target.dataset.values) suggest(event.target);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  });
  // Links stay short: boxes that say nothing are not sent.
  document.addEventListener("formdata", (event) => {
    if (!event.target.matches("[data-filters]")) return;
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
  document.addEventListener("htmx:afterSettle", show_theme);
  show_theme();
})();
