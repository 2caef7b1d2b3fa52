// Comfort. Every page works without it: it copies, keeps what is shown fresh, and knows a few keys.
"use strict";

// Times are rendered by the server in the zone that this cookie tells.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && zone !== document.documentElement.dataset.zone) {
  document.cookie = `bowline_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${location.protocol === "https:" ? "; Secure" : ""}`;
  inZone(document);
}

// Until the next page, the times of this one are changed here, to the same form.
function inZone(root) {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  for (const time of root.querySelectorAll("time[datetime]")) {
    const part = Object.fromEntries(parts.formatToParts(new Date(time.dateTime)).map(({ type, value }) => [type, value]));
    time.textContent = `${part.day} ${part.month.slice(0, 3)} ${part.year}, ${part.hour}:${part.minute}:${part.second}`;
  }
}

// Buttons that copy, there only where copying works.
function copying(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = !navigator.clipboard;
  }
}
copying(document);
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const label = button.textContent;
  try {
    // Of a list that explains its entries, the entries alone.
    const whole = document.getElementById(button.dataset.copy);
    const parts = [...whole.querySelectorAll("[data-part]")].map((part) => part.textContent);
    await navigator.clipboard.writeText(parts.length ? parts.join("\n") : whole.textContent);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Copying is not allowed here";
  }
  setTimeout(() => { button.textContent = label; }, 2000);
});
for (const link of document.querySelectorAll("a[data-absolute]")) {
  link.textContent = link.href;
}

// What changes by itself is fetched again now and then, unless someone is in the middle of it.
const fresh = document.querySelector("[data-refresh]");
if (fresh) {
  // After something was done the page asks often to show it, but not for ever: then it asks as if
  // it had been opened without that.
  let often = 15;
  const place = () => {
    const address = new URL(location.href);
    if (address.searchParams.has("done") && often-- <= 0) address.searchParams.delete("done");
    return address.href;
  };
  // Forms beside it name what was read meanwhile, as long as nobody has begun to fill them in.
  const typedIn = (part) =>
    [...part.querySelectorAll("input:not([type=hidden]), select, textarea")].some((field) => {
      if (field.options) return [...field.options].some((one) => one.selected !== one.defaultSelected && one.index > 0);
      return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
    });
  const begun = (part) => part.contains(document.activeElement) || typedIn(part);
  // The fold in what comes that is one of those here: with all its words, or with the same title where
  // only one has it.
  const fold = (next, one) => {
    const words = (part) => part.textContent.trim();
    const like = (root, of) => [...root.querySelectorAll("details")].filter((other) => words(of(other)) === words(of(one)));
    const [here, coming] = [fresh, next].map((root) => like(root, (of) => of.querySelector("summary")));
    return like(next, (of) => of)[0] ?? (here.length === 1 && coming.length === 1 ? coming[0] : undefined);
  };
  // Has what comes be folded as what is here. Not if something open is not there any more.
  const folded = (next) => {
    for (const one of fresh.querySelectorAll("details")) {
      const there = fold(next, one);
      if (there) there.open = one.open;
      else if (one.open) return false;
    }
    return true;
  };
  const replace = (next) => {
    if (next.innerHTML === fresh.innerHTML) return;
    const at = document.activeElement.closest("summary");
    const focused = fresh.contains(at) ? fold(next, at.parentElement)?.querySelector("summary") : null;
    fresh.replaceChildren(...next.childNodes);
    focused?.focus({ preventScroll: true });
  };
  const renew = (page) => {
    const [part, next] = [document, page].map((one) => one.querySelector("[data-fresh]"));
    if (part && next && !begun(part)) part.replaceChildren(...next.childNodes);
  };
  // Nothing is taken away from somebody who is in the middle of it. What is folded is no such thing: it
  // is opened again.
  const inUse = () => {
    const at = document.activeElement;
    if (fresh.contains(at) && !at.matches("summary")) return true;
    return !getSelection().isCollapsed || [...fresh.querySelectorAll("details[open]")].some(typedIn);
  };
  // What stands here gets old without anybody seeing it, so it is said, once it failed twice.
  let since = new Date();
  let failed = 0;
  let waited = 0;
  const stale = document.createElement("p");
  stale.className = "warning";
  stale.setAttribute("role", "status");
  const old = (words, link) => {
    // Once: readers of screens hear each change.
    if (stale.isConnected && stale.textContent.includes(words)) return;
    stale.replaceChildren(`What stands below is as it was at ${since.toLocaleTimeString("en-GB")}: ${words} `);
    if (link) {
      const to = document.createElement("a");
      to.href = location.href;
      to.textContent = link;
      stale.append(to);
    }
    fresh.before(stale);
  };
  // What is in use for a moment needs no words.
  const waits = () => {
    waited += 1;
    if (waited > 1) old("it goes on when you are done with what you have open, marked or under way in it.");
  };
  const again = async () => {
    if (!document.hidden && inUse()) {
      waits();
    } else if (!document.hidden) {
      try {
        const answer = await fetch(place(), { headers: { accept: "text/html" }, redirect: "manual" });
        if (answer.status >= 500) throw new Error("it is away");
        // The page came of a form, and its address cannot be asked for.
        if (answer.status === 405) return;
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const next = answer.ok && page.querySelector(".top, .frame") ? page.querySelector(fresh.id ? `#${fresh.id}` : "main > div") : null;
        const takes = next && !inUse() && folded(next);
        if (takes) {
          [since, failed, waited] = [new Date(), 0, 0];
          stale.remove();
        } else if (next) {
          failed = 0;
          waits();
        } else if (answer.type === "opaqueredirect") {
          old("you are signed out.", "Sign in again");
        } else if (document.querySelector(".frame")) {
          old("this panel has to be opened anew. Reload the page that it stands in.");
        } else {
          old("this page cannot be shown any more.", "Load it again");
        }
        if (takes) {
          replace(next);
          renew(page);
          copying(fresh);
          if (zone && zone !== page.documentElement.dataset.zone) inZone(fresh);
          if (next.dataset.refresh) fresh.dataset.refresh = next.dataset.refresh;
          if (!next.matches("[data-refresh]") && !page.querySelector("[data-refresh]")) return;
        }
      } catch {
        failed += 1;
        if (failed > 1) old("Bowline is not reached. It is asked again until it answers.");
      }
    }
    setTimeout(again, fresh.dataset.refresh * 1000);
  };
  setTimeout(again, fresh.dataset.refresh * 1000);
}

// What came of saving; what went wrong looks like it.
function say(said, words, wrong) {
  said.textContent = words;
  said.classList.toggle("wrong", wrong);
}

const AWAY = "Not saved: Bowline is not reached. Save it by the button when it is.";
const ELSEWHERE = "Not saved: you are signed out, or the page is not there any more. Load it again.";

// What was chosen still stands there, and a button saves it.
function unsaved(said, button, words) {
  if (button) button.hidden = false;
  say(said, words, true);
}

// Settings are saved as they are changed; without script there is a button. What is shown of them
// elsewhere on the page follows.
for (const form of document.querySelectorAll("form[data-autosave]")) {
  const said = form.querySelector(".saved");
  if (!said) continue;
  form.querySelector("button.main").hidden = true;
  let saving = Promise.resolve();
  const save = async () => {
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const version = page.querySelector("form[data-autosave] [name=version]")?.value;
      if (!version) return unsaved(said, form.querySelector("button.main"), ELSEWHERE);
      for (const field of document.querySelectorAll("[name=version]")) field.value = version;
      for (const part of document.querySelectorAll("[data-follows]")) {
        const next = page.querySelector(`[data-follows="${part.dataset.follows}"]`);
        if (next) part.replaceChildren(...next.childNodes);
      }
      form.querySelector("button.main").hidden = true;
      say(said, answer.ok ? "Saved. It holds from now on." : "Not saved; see above.", !answer.ok);
    } catch {
      unsaved(said, form.querySelector("button.main"), AWAY);
    }
  };
  form.addEventListener("change", () => {
    say(said, "Saving…", false);
    saving = saving.then(save);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    form.dispatchEvent(new Event("change"));
  });
}

// Lists that are put in order: by dragging, or by buttons that keep the focus. Each step is saved.
const ordered = document.querySelector("[data-ordered]");
if (ordered) {
  const said = document.querySelector(".saved");
  const draggable = () => {
    for (const row of ordered.querySelectorAll(".order li:has(.moves)")) row.draggable = true;
  };
  draggable();
  let saving = Promise.resolve();
  const save = async (form, act, focus) => {
    const body = new URLSearchParams(new FormData(form));
    body.set("act", act);
    body.set("version", document.querySelector("[name=version]").value);
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = page.querySelector("[data-ordered]");
      if (!next) return unsaved(said, null, ELSEWHERE);
      ordered.replaceChildren(...next.childNodes);
      draggable();
      for (const part of document.querySelectorAll("[data-follows]")) {
        part.replaceChildren(...page.querySelector(`[data-follows="${part.dataset.follows}"]`).childNodes);
      }
      const wanted = focus.map((place) => ordered.querySelector(place)).find((found) => found && !found.disabled);
      wanted?.focus();
      say(said, answer.ok ? "Saved. It holds from now on." : "Not saved; see what is wrong.", !answer.ok);
    } catch {
      unsaved(said, null, "Not saved: Bowline is not reached. Do it again when it is.");
    }
  };
  const act = (form, what, ...focus) => {
    say(said, "Saving…", false);
    saving = saving.then(() => save(form, what, focus));
  };
  ordered.addEventListener("submit", (event) => {
    event.preventDefault();
    const { target: form, submitter } = event;
    const what = submitter?.name === "act" ? submitter.value : form.elements.act.value;
    const of = form.elements.of.value;
    const [step, name] = what.split(/:(.*)/s);
    const button = (kind) => `#${CSS.escape(`${of}-${name}`)} button[value="${CSS.escape(`${kind}:${name}`)}"]`;
    if (step === "up" || step === "down") act(form, what, button(step), button(step === "up" ? "down" : "up"));
    else act(form, what, step === "add" ? `#${of}-key` : `#${of}`);
  });
  let dragged = null;
  let before = [];
  ordered.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".order li");
    if (!dragged) return;
    before = [...dragged.parentElement.children];
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.textContent.trim());
    dragged.classList.add("dragged");
  });
  ordered.addEventListener("dragover", (event) => {
    const over = event.target.closest(".order li");
    if (!dragged || over?.parentElement !== dragged.parentElement) return;
    event.preventDefault();
    const { top, height } = over.getBoundingClientRect();
    if (over !== dragged) over[event.clientY < top + height / 2 ? "before" : "after"](dragged);
  });
  ordered.addEventListener("drop", (event) => { if (dragged) event.preventDefault(); });
  ordered.addEventListener("dragend", (event) => {
    if (!dragged) return;
    const [row, list] = [dragged, dragged.parentElement];
    row.classList.remove("dragged");
    dragged = null;
    if (event.dataTransfer.dropEffect === "none") list.replaceChildren(...before);
    else if (before.some((one, at) => one !== list.children[at])) act(row.closest("form"), "order", `#${CSS.escape(row.id)}`);
  });
}

// A note goes to all conversations or to single ones: what is ticked last counts.
document.addEventListener("change", ({ target }) => {
  if (!target.checked || !["note_all", "note_to"].includes(target.name)) return;
  const other = target.name === "note_all" ? "note_to" : "note_all";
  for (const box of target.form.querySelectorAll(`[type=checkbox][name=${other}]`)) box.checked = false;
});

// Keys, while nobody types.
let afterG = 0;
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    return;
  }
  const typing = event.target.closest("input, select, textarea, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "/") {
    const search = document.getElementById("search");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "?") {
    event.preventDefault();
    showKeys();
  } else if (event.key === "g") {
    afterG = Date.now();
  } else if (Date.now() - afterG < 1500) {
    afterG = 0;
    document.querySelector(`.places a[data-key="${CSS.escape(event.key)}"]`)?.click();
  }
});

// The feedback inbox by keyboard: a row is where one is, and keys do what the form below can.
const triage = document.querySelector("form[data-triage]");
if (triage) {
  const rows = [...triage.querySelectorAll("tbody tr")];
  const moves = { r: "status:in_review", p: "status:planned", d: "status:done", n: "status:declined" };
  let here = -1;
  const go = (to) => {
    if (!rows[to]) return;
    rows[here]?.classList.remove("here");
    here = to;
    rows[here].classList.add("here");
    rows[here].querySelector("input[name=ticket]").focus();
  };
  // With whom one goes on after the chosen ones: who comes next, or else who came before.
  const after = () => {
    const free = (row) => !row.querySelector("input[name=ticket]").checked;
    return rows.slice(here + 1).find(free) ?? rows.slice(0, Math.max(here, 0)).reverse().find(free);
  };
  // The rows have no ids: going to one in an address takes the focus from it once the page is there.
  const place = rows.findIndex((row) => location.hash === `#${row.dataset.place}`);
  if (place >= 0) go(place);
  triage.addEventListener("focusin", (event) => {
    const row = rows.indexOf(event.target.closest("tbody tr"));
    if (row >= 0 && row !== here) { rows[here]?.classList.remove("here"); here = row; rows[here].classList.add("here"); }
  });
  document.addEventListener("keydown", (event) => {
    const target = event.target;
    const typing = target.closest("select, textarea, [contenteditable]") || (target.matches("input") && target.type !== "checkbox");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || Date.now() - afterG < 1500 || document.querySelector("dialog[open]")) return;
    const box = rows[here]?.querySelector("input[name=ticket]");
    if (event.key === "j") go(here + 1);
    else if (event.key === "k") go(Math.max(here - 1, 0));
    else if (event.key === "x" && box) box.checked = !box.checked;
    else if (event.key === "o" && box) rows[here].querySelector("a").click();
    else if (moves[event.key]) {
      if (!triage.querySelector("input[name=ticket]:checked")) {
        if (!box) return;
        box.checked = true;
      }
      triage.elements.act.value = moves[event.key];
      triage.elements.next.value = after()?.querySelector("input[name=ticket]").value ?? "";
      triage.requestSubmit();
    } else return;
    event.preventDefault();
  });
}

// A long list is searched while one types.
for (const field of document.querySelectorAll("[data-search-list]")) {
  field.hidden = false;
  const picks = [...field.parentElement.querySelectorAll(".choices .pick")];
  const input = field.querySelector("input");
  input.addEventListener("input", () => {
    const sought = input.value.trim().toLowerCase();
    for (const pick of picks) pick.hidden = !pick.textContent.toLowerCase().includes(sought);
  });
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
}

async function showKeys() {
  if (!document.querySelector(".top")) return;
  const answer = await fetch("/help", { redirect: "error" }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", "Keyboard");
  dialog.tabIndex = -1;
  dialog.append(...page.querySelector("main").children);
  const form = document.createElement("form");
  form.method = "dialog";
  const close = document.createElement("button");
  close.textContent = "Close";
  form.append(close);
  dialog.append(form);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  // Not its first link, which would scroll the list away.
  dialog.focus();
  dialog.scrollTop = 0;
}
