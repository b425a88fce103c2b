// What a page may do with JavaScript and does as well without: choose light or dark, copy code,
// reach the search with "/", mark where in the page the reader is.
(() => {
  const root = document.documentElement;
  const button = document.querySelector("button.mode");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const dark = root.dataset.theme
        ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      try { localStorage.setItem("mode", root.dataset.theme); } catch { /* private window */ }
    });
  }
  document.addEventListener("keydown", (event) => {
    const field = document.querySelector(".search input");
    if (event.key === "/" && field && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      field.focus();
    }
  });
  for (const block of document.querySelectorAll(".cell_input .highlight, div.highlight-python, div.highlight-bash, div.highlight-sh")) {
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "copy";
    copy.textContent = "Copy";
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.querySelector("pre").innerText);
      copy.textContent = "Copied";
      setTimeout(() => { copy.textContent = "Copy"; }, 1500);
    });
    block.append(copy);
  }
  const links = new Map([...document.querySelectorAll(".here a[href^='#']")].map((a) => [a.hash.slice(1), a]));
  if (links.size && "IntersectionObserver" in window) {
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) {
          links.forEach((a) => a.classList.remove("now"));
          links.get(entry.target.id)?.classList.add("now");
        }
      }
    }, { rootMargin: "-10% 0px -80% 0px" });
    document.querySelectorAll("article section[id]").forEach((s) => links.has(s.id) && seen.observe(s));
  }
})();
