/* The gallery's own script: which mail is shown, how wide and in which scheme, and whether there is a newer page. */
(() => {
  const articles = [...document.querySelectorAll("article")];
  const links = [...document.querySelectorAll("nav a")];
  const root = document.documentElement;

  /** A page that is opened from a disk, or in a sandbox, may have no storage. */
  const stored = {
    get: (name) => {
      try {
        return window.sessionStorage.getItem(`preview.${name}`);
      } catch {
        return null;
      }
    },
    set: (name, value) => {
      try {
        window.sessionStorage.setItem(`preview.${name}`, value);
      } catch {
        // The choice lasts until the page is left.
      }
    },
  };

  /** The same mail once more, as wide as a phone. It is made when it is looked at, so that the page stays small. */
  const addPhone = (article) => {
    const desktop = article.querySelector(".desktop");
    if (desktop === null || article.querySelector(".phone") !== null) return;
    const phone = desktop.cloneNode(true);
    phone.className = "phone";
    phone.querySelector("figcaption").textContent = "Phone";
    phone.querySelector(".paper").setAttribute("aria-label", "Phone");
    const frame = phone.querySelector("iframe");
    frame.title = frame.title.replace("on a desktop", "on a phone");
    desktop.after(phone);
  };

  const named = (hash) => {
    try {
      return decodeURIComponent(hash.slice(1));
    } catch {
      return "";
    }
  };

  const show = () => {
    const chosen = articles.find(({ id }) => id === named(location.hash)) ?? articles[0];
    if (chosen === undefined) return;
    for (const article of articles) article.hidden = article !== chosen;
    for (const link of links) {
      if (named(link.hash) === chosen.id) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
      link
        .closest("nav > ul > li")
        .toggleAttribute("data-open", link.closest("nav > ul > li").querySelector("[aria-current]") !== null);
    }
    document.title = `${chosen.querySelector("h2").textContent} - Mail preview`;
    addPhone(chosen);
  };
  window.addEventListener("hashchange", () => {
    show();
    window.scrollTo(0, 0);
    document.querySelector("article:not([hidden]) h2")?.focus({ preventScroll: true });
  });
  show();

  const choose = (name, value) => {
    root.dataset[name] = value;
    for (const button of document.querySelectorAll(`[data-set="${name}"]`)) {
      button.setAttribute("aria-pressed", String(button.dataset.value === value));
    }
  };
  for (const group of document.querySelectorAll(".toggles")) {
    group.hidden = false;
    const buttons = [...group.querySelectorAll("button")];
    const { set } = buttons[0].dataset;
    const value = stored.get(set);
    const first =
      set === "width" && window.matchMedia("(max-width: 760px)").matches ? "phone" : buttons[0].dataset.value;
    choose(set, buttons.some((button) => button.dataset.value === value) ? value : first);
    for (const button of buttons) {
      button.addEventListener("click", () => {
        choose(set, button.dataset.value);
        stored.set(set, button.dataset.value);
      });
    }
  }

  const filter = document.querySelector("#filter");
  const items = [...document.querySelectorAll("nav > ul > li")];
  filter.hidden = items.length < 8;
  filter.addEventListener("input", () => {
    const words = filter.value.trim().toLowerCase();
    for (const item of items) item.hidden = !item.textContent.toLowerCase().includes(words);
  });

  const { version } = root.dataset;
  if (version === undefined) return;
  const state = document.querySelector("#live");
  const say = (name, text) => {
    state.dataset.state = name;
    state.textContent = text;
  };
  const changes = new EventSource("changes");
  changes.addEventListener("message", ({ data }) => {
    if (data === version) say("live", "Live");
    else location.reload();
  });
  changes.addEventListener("error", () => say("disconnected", "Disconnected"));
})();
