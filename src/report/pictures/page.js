
"use strict";
// The page is whole without this: it unfolds what a link leads to, unfolds and folds all, and searches.
(() => {
  const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
  const byId = (id) => document.getElementById(id);
  const search = byId("search"), found = byId("found");
  byId("tools").hidden = false;

  // Opens what the address names, and all that it lies in.
  const reveal = () => {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { return; }
    const target = id && byId(id);
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView({block: "start"});
    const summary = target.querySelector("summary");
    if (summary) summary.focus({preventScroll: true});
  };
  window.addEventListener("hashchange", reveal);
  // A link to where one is already changes no address.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    const to = link && (link.getAttribute("href") || "");
    if (to && to.startsWith("#") && to === location.hash) { event.preventDefault(); reveal(); }
  });

  const setAll = (open) => { for (const each of all("main details")) each.open = open; };
  byId("expand").addEventListener("click", () => setAll(true));
  byId("collapse").addEventListener("click", () => setAll(false));

  const marks = window.Highlight && CSS.highlights ? new Highlight() : null;
  if (marks) CSS.highlights.set("found", marks);
  // A text that a change of paint cuts in two is found all the same: the ranges are of the entry's whole text.
  const markIn = (entry, wanted) => {
    const nodes = [], walker = document.createTreeWalker(entry, NodeFilter.SHOW_TEXT);
    let text = "";
    while (walker.nextNode()) { nodes.push([walker.currentNode, text.length]); text += walker.currentNode.data.toLowerCase(); }
    let count = 0, n = 0;
    const place = (offset) => {
      while (n + 1 < nodes.length && nodes[n + 1][1] <= offset) ++n;
      return [nodes[n][0], Math.min(offset - nodes[n][1], nodes[n][0].data.length)];
    };
    for (let at = text.indexOf(wanted); at >= 0 && nodes.length; at = text.indexOf(wanted, at + wanted.length)) {
      ++count;
      if (!marks) continue;
      const range = document.createRange();
      range.setStart(...place(at));
      range.setEnd(...place(at + wanted.length));
      marks.add(range);
      for (let up = range.startContainer.parentElement; up && up !== entry; up = up.parentElement)
        if (up.tagName === "DETAILS") up.open = true;
    }
    return count;
  };
  // Entries may lie in each other; the innermost ones are looked through.
  const entries = all(".entry").filter((entry) => !entry.querySelector(".entry"));
  const look = () => {
    const wanted = search.value.trim().toLowerCase();
    if (marks) marks.clear();
    let total = 0, places = 0;
    for (const entry of entries) {
      const count = wanted ? markIn(entry, wanted) : 0;
      entry.classList.toggle("nomatch", Boolean(wanted) && count === 0);
      if (count === 0) continue;
      total += count;
      ++places;
      for (let up = entry; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
    }
    found.value = wanted ? `${total} in ${places} of ${entries.length}` : "";
  };
  search.addEventListener("input", look);
  search.addEventListener("keydown", (event) => { if (event.key === "Escape") { search.value = ""; look(); } });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target === search) return;
    event.preventDefault();
    search.focus();
  });

  // On paper, what a browser does not unfold by the style sheet.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = all("details.prints:not([open])");
    for (const each of opened) each.open = true;
  });
  window.addEventListener("afterprint", () => { for (const each of opened) each.open = false; });

  reveal();
})();
