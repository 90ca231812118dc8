// Before anything is painted: the theme that was chosen here, if one was.
(() => {
  let chosen = "auto";
  try { chosen = localStorage.getItem("theme") || "auto"; } catch { /* storage may be closed to pages */ }
  if (chosen !== "auto") document.documentElement.dataset.theme = chosen;
})();
