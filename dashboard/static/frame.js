/* Puts the reader's language where Streamlit itself writes English, and says plainly when the server is gone. */
(() => {
  const frame = window.iocFrame;
  const language = () => new URLSearchParams(location.search).get("lang") || frame.standard;
  const ATTRIBUTES = ["aria-label", "title", "placeholder", "alt"];
  const OURS = ".stMarkdown, [data-testid='stMarkdownContainer'], [data-testid='stHtml'], textarea, input, style, script";
  const compiled = {};
  for (const [code, set] of Object.entries(frame.words)) {
    const patterns = set.patterns.map(([from, to]) => [
      new RegExp("^" + from.split("{x}").map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")).join("(.+)") + "$"),
      (found) => to.replace("{x}", () => found),
    ]);
    compiled[code] = { whole: new Map(Object.entries(set.whole)), patterns };
  }

  /* options of a list carry, behind an invisible sign, their letters without marks: what people type */
  const BEHIND = /\u2063.*$/s;

  function said(text) {
    if (BEHIND.test(text)) text = text.replace(BEHIND, "");
    const found = translated(text);
    return found === null ? text : found;
  }

  function translated(text) {
    const set = compiled[language()];
    const words = text.trim();
    if (!set || !words || words.length > 200) return null;
    if (set.whole.has(words)) return set.whole.get(words);
    for (const [pattern, write] of set.patterns) {
      const match = pattern.exec(words);
      if (match) return write(match[1]);
    }
    return null;
  }

  function sayText(node) {
    const parent = node.parentElement;
    if (!parent || (parent.closest(OURS) && !parent.closest("[data-testid='stTopNavSection']"))) return;
    const words = said(node.data);
    if (words !== node.data) node.data = words;
  }

  function sayAttributes(element) {
    for (const name of ATTRIBUTES) {
      const value = element.getAttribute?.(name);
      if (!value) continue;
      if (/^[a-z_]+ icon$/.test(value)) {  // the name of a sign is no word; a word stands beside it
        element.removeAttribute(name);
        element.setAttribute("aria-hidden", "true");
        continue;
      }
      const words = said(value);
      if (words !== value) element.setAttribute(name, words);
    }
  }

  function say(root) {
    if (root.nodeType === Node.TEXT_NODE) return sayText(root);
    if (root.nodeType !== Node.ELEMENT_NODE) return;
    sayAttributes(root);
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE) sayText(node);
      else sayAttributes(node);
    }
  }

  /* the server is gone: Streamlit's dialog says what to type in a terminal; ours says what it means */
  const PATIENCE = 4000;
  let away = null;

  /* Streamlit says only in a corner that it is connecting again; figures that stand still must not look fresh */
  setInterval(() => {
    const state = document.querySelector("[data-testid='stApp']")?.dataset.testConnectionState;
    if (!state || state === "CONNECTED") away = null;
    else away ??= performance.now();
    lost();
  }, 1000);

  function lost() {
    if (!document.body) return;
    const heads = ["Connection error", said("Connection error")];
    const dialog = [...document.querySelectorAll("[role='dialog']")].find((found) =>
      heads.some((words) => found.textContent.trim().startsWith(words)));
    const gone = Boolean(dialog) || (away !== null && performance.now() - away > PATIENCE);
    let banner = document.getElementById("ioc-lost");
    if (gone && !banner) {
      banner = document.createElement("div");
      banner.id = "ioc-lost";
      banner.setAttribute("role", "alert");
      banner.textContent = frame.lost[language()] || frame.lost.en;
      document.body.append(banner);
    }
    if (!gone && banner) banner.remove();
    document.body.classList.toggle("ioc-is-lost", Boolean(dialog));
  }

  function setLanguage() {
    if (document.documentElement.lang !== language()) document.documentElement.lang = language();
  }

  /* theme: Streamlit reads it from the address when a page is loaded; what a reader chose is kept in this browser */
  const THEME = "embed_options";
  const THEMES = ["light_theme", "dark_theme"];
  const themeOf = (address) => address.searchParams.getAll(THEME).find((value) => THEMES.includes(value)) || "";

  function withTheme(address, theme) {
    address.searchParams.delete(THEME);
    if (theme) address.searchParams.append(THEME, theme);
    return address;
  }

  function keptTheme() {
    try { return localStorage.getItem("ioc-theme") || ""; } catch { return ""; }
  }

  function chooseTheme(theme) {
    try { localStorage.setItem("ioc-theme", theme); } catch { /* a browser that keeps nothing */ }
    location.assign(withTheme(new URL(location.href), theme));
  }

  function markTheme() {
    const now = themeOf(new URL(location.href));
    for (const link of document.querySelectorAll(".ioc-themes a")) {
      const current = String(themeOf(new URL(link.href)) === now);
      if (link.getAttribute("aria-current") !== current) link.setAttribute("aria-current", current);
    }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".ioc-themes a");
    if (!link) return;
    event.preventDefault();
    chooseTheme(themeOf(new URL(link.href)));
  });

  /* a link of the navigation drops the address' theme, and what the page then restores is no step of its own */
  const sorted = (address) => [...address.searchParams].map(String).sort().join("&");
  const push = history.pushState.bind(history);
  let arrived = -Infinity;
  history.pushState = (state, unused, url) => {
    const here = new URL(location.href);
    const next = new URL(url ?? here, here);
    if (!themeOf(next) && themeOf(here)) withTheme(next, themeOf(here));
    const isSame = sorted(next) === sorted(here);
    const isBare = [...here.searchParams.keys()].every((name) => name === THEME);
    if (next.pathname === here.pathname && (isSame || (isBare && performance.now() - arrived < 3000))) {
      history.replaceState(state, unused, next);
    } else {
      push(state, unused, next);
    }
    if (next.pathname !== here.pathname) arrived = performance.now();
  };

  const first = new URL(location.href);
  if (!themeOf(first) && THEMES.includes(keptTheme())) history.replaceState(history.state, "", withTheme(first, keptTheme()));

  new MutationObserver((changes) => {
    setLanguage();
    markTheme();
    for (const change of changes) {
      if (change.type === "childList") change.addedNodes.forEach(say);
      else if (change.type === "characterData") sayText(change.target);
      else sayAttributes(change.target);
    }
    lost();
  }).observe(document.documentElement, {
    childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES,
  });
  say(document.documentElement);
})();
