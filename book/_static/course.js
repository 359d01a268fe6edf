// Whatever is wider than its place scrolls in itself, and the keyboard must be able to do it.
{
  // The theme sees to code and tables, but looks only when the window changes its size,
  // and not when something unfolds.
  const look = () => setTimeout(() => window.dispatchEvent(new Event("resize")));
  document.addEventListener("toggle", look, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest(".toggle, .toggle-button")) look();
  });

  // Formulas it does not know.
  const reach = () => {
    for (const formula of document.querySelectorAll("div.math")) {
      if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
      else formula.removeAttribute("tabindex");
    }
  };
  window.addEventListener("resize", reach);
  document.fonts.ready.then(reach);
}
