/* Escalation Desk, browser side. Every page works without it: this adds ticking clocks, keys, focus and feedback.
   No build step, no eval. Hooks in the templates:
   time[data-due data-warn data-over]   countdown in a chip      [data-row] a.ttl, input[data-select]   keyboard rows
   [data-select-all] [data-bulk] [data-bulk-count]   bulk bar    [data-key="c" | "g q"]   click by key
   form[data-composer] or [data-ctrl-enter]   Ctrl+Enter sends   [data-modes]   radio group that marks its label
   [data-show-when="field=value,value"]   shown for these values (or data-kind of the chosen option)
   [data-chooser] input[data-find]   search field with suggestions, [data-change] opens it again
   textarea[data-most]   says when its text is too long
   [data-autosubmit]   sends its form on change                  [data-dialog="id"] [data-close] [data-dismiss] [data-print]
   [data-spare] [data-add-row]   a row shown when it is wanted, and its button
   [data-calm]   htmx refresh waits while in use, [data-stale] is shown instead
   HX-Trigger-After-Settle {"desk:focus": "#id"} and {"desk:message": "text"}   focus and message after a swap */
(() => {
  "use strict";
  const doc = document, root = doc.documentElement;
  const $ = (sel, at = doc) => at.querySelector(sel);
  const $$ = (sel, at = doc) => [...at.querySelectorAll(sel)];
  root.classList.add("js");

  /* Clocks: <time data-due data-warn data-over> inside a chip. Same text as duration() on the server. */
  const SHAPE = { red: "exclamation-octagon-fill", yel: "exclamation-triangle-fill", grn: "check-circle-fill" };
  const WORD = { red: "Red: ", yel: "Yellow: ", grn: "Green: " };
  const span = (ms) => {
    const m = Math.floor(Math.abs(ms) / 60000), h = Math.floor(m / 60), d = Math.floor(h / 24);
    if (m < 1) return "under 1m";
    if (h < 1) return m + "m";
    if (d < 1) return h + "h" + (m % 60 ? " " + String(m % 60).padStart(2, "0") + "m" : "");
    return d + "d" + (h % 24 ? " " + (h % 24) + "h" : "");
  };
  const repaint = (time, state) => {
    const chip = time.closest(".st"), use = chip && $("use", chip), hidden = chip && $(".visually-hidden", chip);
    time.dataset.state = state;
    if (!chip) return;
    chip.classList.remove("st-red", "st-yel", "st-grn");
    chip.classList.add("st-" + state);
    if (use) use.setAttribute("href", use.getAttribute("href").split("#")[0] + "#" + SHAPE[state]);
    if (hidden) hidden.textContent = WORD[state];
  };
  const tick = () => $$("time[data-due]").forEach((time) => {
    const now = Date.now(), left = Date.parse(time.dataset.due) - now, state = time.dataset.state;
    if (Number.isNaN(left)) return;
    const over = time.dataset.over === "over" ? span(left) + " over" : "Past SLA " + span(left);
    time.textContent = left > 0 ? span(left) + " left" : over;
    if (left <= 0 && state !== "red") repaint(time, "red");
    else if (left > 0 && state === "grn" && now >= Date.parse(time.dataset.warn || "x")) repaint(time, "yel");
  });
  setInterval(tick, 30000);

  /* Messages */
  const say = (text, href, label) => {
    const box = $("#messages"), item = doc.createElement("div"), words = doc.createElement("span");
    if (!box) return;
    item.className = "toasty";
    words.textContent = text;
    item.append(words);
    if (href) item.append(Object.assign(doc.createElement("a"), { href, textContent: label, target: "_blank", rel: "noopener" }));
    item.append(Object.assign(doc.createElement("button"), { type: "button", textContent: "Dismiss" }));
    item.lastChild.dataset.dismiss = "";
    box.replaceChildren(item);
  };

  /* Parts that depend on a choice: data-modes marks the chosen radio, data-show-when="name=a,b" shows a block. */
  const chosen = (form, name) => {
    const field = form.elements[name];
    if (!field) return [];
    const options = field.options ? [...field.selectedOptions] : field.length ? [...field].filter((f) => f.checked) : [field];
    return options.flatMap((o) => [o.value, o.dataset.kind]);
  };
  const arrange = (form) => {
    $$("[data-show-when]", form).forEach((block) => {
      const [name, values] = block.dataset.showWhen.split("="), now = chosen(form, name);
      block.hidden = !values.split(",").some((value) => now.includes(value));
    });
    $$("[data-modes]", form).forEach((group) => {
      const on = $("input:checked", group);
      $$("label", group).forEach((label) => label.classList.toggle("on", label.contains(on)));
      form.classList.toggle("customer", !!on && on.value === "customer");
    });
  };
  /* On a phone the composer is one line until somebody writes; it stays open then. */
  doc.addEventListener("focusin", (event) => {
    const form = event.target.closest("[data-composer]");
    if (form) form.classList.add("open");
  });
  const recount = () => $$("[data-bulk]").forEach((bar) => {
    const picked = $$("input[data-select]:checked").length;
    bar.hidden = !picked;
    $$("[data-bulk-count]", bar).forEach((at) => { at.textContent = picked; });
  });

  /* Choosers: a search field whose suggestions are an ARIA listbox; focus stays in the field. */
  const options = (input) => $$("[role=option]", input.closest("[data-chooser]"));
  const point = (input, option) => {
    options(input).forEach((each) => each.setAttribute("aria-selected", each === option));
    if (option) { input.setAttribute("aria-activedescendant", option.id); option.scrollIntoView({ block: "nearest" }); }
    else input.removeAttribute("aria-activedescendant");
  };
  const unfold = (input) => {
    const count = options(input).length, status = $("[data-found]", input.closest("[data-chooser]"));
    input.setAttribute("aria-expanded", count > 0);
    point(input, null);
    if (input.value.trim()) status.textContent = count ? count + (count > 1 ? " suggestions" : " suggestion") : "Nothing found";
  };
  const fold = (input) => { $(".chooser-list", input.closest("[data-chooser]")).replaceChildren(); unfold(input); };
  const choosers = (at) => {
    $$("input[data-find]", at).filter((input) => !input.hasAttribute("role")).forEach((input) => {
      for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"],
        ["aria-controls", input.dataset.find]]) input.setAttribute(name, value);
    });
    $$("[data-change]", at).forEach((button) => { button.type = "button"; });
  };
  const onChooser = (event, input) => {
    const found = options(input), at = found.findIndex((each) => each.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") point(input, found[(at + 1) % found.length]);
    else if (event.key === "ArrowUp") point(input, found[(at < 1 ? found.length : at) - 1]);
    else if (event.key === "Enter" && at >= 0) found[at].click();
    else if (event.key === "Escape") fold(input);
    else return;
    event.preventDefault();
  };

  // The choice counts at once, also for a form that is sent before the answer of the server is shown.
  doc.addEventListener("click", (event) => {
    const option = event.target.closest("[data-pick]"), box = option && option.closest("[data-chooser]");
    if (!box) return;
    const chosen = document.createElement("input");
    Object.assign(chosen, { type: "hidden", name: option.dataset.pick, value: option.dataset.value });
    box.append(chosen);
  });

  const setUp = (at) => {
    choosers(at);
    $$("form", at).concat(at.closest && at.closest("form") || []).forEach(arrange);
    recount();
    tick();
    const problem = $(".errsum", at);
    if (problem) problem.focus();
  };

  /* Text areas: a text that is too long is counted, not cut. A line end counts as the two characters that are sent. */
  const measure = (box) => {
    const most = Number(box.dataset.most), has = box.value.replace(/\r?\n/g, "\r\n").length;
    let note = box.nextElementSibling;
    if (!note || !note.matches(".most")) {
      if (has <= most) return;
      note = Object.assign(doc.createElement("div"), { className: "most small t-red" });
      note.setAttribute("role", "status");
      box.after(note);
    }
    const words = (number) => number.toLocaleString("en-US");
    note.textContent = has > most ? `${words(has)} characters: ${words(has - most)} too many. At most ${words(most)}.` : "";
  };
  doc.addEventListener("input", (event) => { if (event.target.matches("textarea[data-most]")) measure(event.target); });

  /* Busy: a form is sent once; the button keeps its value because it is not disabled. */
  const free = (form) => {
    form.removeAttribute("aria-busy");
    $$("[data-held]", form).forEach((b) => { b.removeAttribute("aria-disabled"); delete b.dataset.held; });
  };
  const hold = (form, button) => {
    form.setAttribute("aria-busy", "true");
    if (button) { button.dataset.held = ""; button.setAttribute("aria-disabled", "true"); }
    setTimeout(free, 10000, form);
  };
  doc.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.getAttribute("aria-busy") === "true") event.preventDefault();
    else hold(form, event.submitter);
  });
  addEventListener("pageshow", () => $$("form[aria-busy]").forEach(free));

  doc.addEventListener("change", (event) => {
    const el = event.target, form = el.form;
    if (el.matches("[data-select-all]")) $$("input[data-select]").forEach((box) => { box.checked = el.checked; });
    if (el.matches("[data-autosubmit]") && form) form.requestSubmit();
    if (form) arrange(form);
    recount();
  });
  const addRow = (button) => {
    const [row, ...others] = $$("[data-spare]");
    row.removeAttribute("data-spare");
    $("input[type=text], textarea", row).focus();
    if (!others.length) {
      button.remove();
      $("[data-rows-used]").classList.remove("nojs-only");
    }
  };
  doc.addEventListener("click", (event) => {
    const near = (sel) => event.target.closest(sel);
    const gone = near("[data-dismiss]"), dialog = near("[data-dialog]"), off = near("[data-close]");
    if (gone) (gone.closest(".toasty, .banner") || gone).remove();
    if (dialog) { const box = doc.getElementById(dialog.dataset.dialog); if (box) box.showModal(); }
    if (off) off.closest("dialog").close();
    if (near("[data-add-row]")) addRow(near("[data-add-row]"));
    if (near("[data-print]")) print();
    if (near("[aria-disabled=true]:not([data-held])")) event.preventDefault();
  });

  /* Keys: data-key="c" or "g q" on a link or button; rows are data-row with a link .ttl inside. */
  const typing = (el) => el.isContentEditable || el.matches("textarea, select, input:not([type=checkbox], [type=radio])");
  const shown = (el) => el.checkVisibility ? el.checkVisibility() : true;
  const move = (step) => {
    const rows = $$("[data-row]").filter(shown), at = rows.findIndex((row) => row.classList.contains("cur"));
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + step))];
    if (!next) return;
    if (at >= 0) rows[at].classList.remove("cur");
    next.classList.add("cur");
    const link = $("a.ttl, [data-open]", next) || next;
    link.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  const onRow = {
    j: () => move(1),
    k: () => move(-1),
    x: () => { const box = $("[data-row].cur input[data-select]"); if (box) box.click(); },
    enter: () => { const link = $("[data-row].cur a.ttl, [data-row].cur [data-open]"); if (link) link.click(); },
  };
  const focusOn = (sel) => { const el = $(sel); if (el) el.focus(); return !!el; };
  let before = "", beforeAt = 0;
  const keyed = (key) => {
    const pair = Date.now() - beforeAt < 1200 ? before + " " + key : "";
    before = key;
    beforeAt = Date.now();
    const target = (pair && $(`[data-key="${pair}"]`)) || (/^[a-z]$/.test(key) && $(`[data-key="${key}"]`));
    if (target) target.click();
    return !!target;
  };
  doc.addEventListener("keydown", (event) => {
    const el = event.target, key = event.key.toLowerCase();
    if (el.matches("input[data-find]") && options(el).length) onChooser(event, el);
    if (event.defaultPrevented) return;
    if ((event.ctrlKey || event.metaKey) && key === "enter") {
      const form = el.closest("form[data-composer], form[data-ctrl-enter]");
      if (form) { event.preventDefault(); form.requestSubmit($("button:not([type]), [type=submit]", form)); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (doc.body.dataset.shortcuts === "off" || typing(el) || $("dialog[open], .modal.show, .offcanvas.show")) return;
    let done = true;
    if (key === "/") done = focusOn("#gs");
    else if (key === "?") $("#shortcuts") && $("#shortcuts").showModal();
    else if (/^[1-7]$/.test(key)) { const tab = $$(".tabs a")[key - 1]; if (tab) tab.click(); done = !!tab; }
    else if (keyed(key)) done = true;
    else if (key === "r") done = focusOn("[data-composer] textarea");
    else if (key === "enter") { done = !el.closest("a, button, summary, label"); if (done) onRow.enter(); }
    else if (onRow[key] && $("[data-row]")) onRow[key]();
    else done = false;
    if (done) event.preventDefault();
  });

  /* htmx: no double post, calm refresh, readable errors, focus requested by the server. */
  const body = doc.body;
  const sentForm = (event) => {
    const by = event.detail.requestConfig.triggeringEvent;  // a preview on change must not hold the form
    return by && by.type === "submit" && event.detail.requestConfig.verb !== "get" && event.target.closest("form");
  };
  body.addEventListener("htmx:beforeRequest", (event) => {
    const el = event.target, form = sentForm(event);
    if (el.matches("[data-calm]") && (el.contains(doc.activeElement) || $("input:checked", el))) {
      event.preventDefault();
      $$("[data-stale]").forEach((note) => { note.hidden = false; });
    } else if (form && form.getAttribute("aria-busy") === "true") event.preventDefault();
    else if (form) hold(form, event.detail.requestConfig.triggeringEvent.submitter);
  });
  body.addEventListener("htmx:afterRequest", (event) => { const form = sentForm(event); if (form) free(form); });
  body.addEventListener("htmx:afterSettle", (event) => {
    const at = event.detail.elt, box = at.closest("[data-chooser]");
    setUp(at);
    if (!box) return;
    if (at.matches(".chooser-list")) unfold($("input[data-find]", box));
    else {  // chosen, or opened again: the value of the form has changed
      $("input[data-find], [data-change]", box).focus();
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
  body.addEventListener("htmx:sendError", () => say("The server did not answer. What you typed is still here. Try again."));
  body.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 401) say("You are signed out. What you typed is still here.", body.dataset.login, "Sign in");
    else if (status === 409) say("Someone changed this while you worked. Reload to see it.");
    else if (status === 403 || status === 404) say("You cannot do this, or it is no longer there. Nothing was saved.");
    else say("That did not work. Nothing was saved. Try again.");
  });
  body.addEventListener("desk:focus", (event) => requestAnimationFrame(() => focusOn(event.detail.target || event.detail.value)));
  body.addEventListener("desk:message", (event) => say(event.detail.text || event.detail.value));
  setUp(doc);
})();
