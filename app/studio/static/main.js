// The studio: its pages, and what stands around them.
import { key, keyRefused, service, untilReady, watch } from "./lib/api.js";
import { html, render, useEffect, useState } from "./lib/html.js";
import { link, place } from "./lib/place.js";
import { theme, toggleTheme } from "./lib/theme.js";
import { language, t } from "./lib/words.js";
import { TextField } from "./ui/fields.js";

const PAGES = ["write", "fill", "paraphrase", "correct", "search", "score", "jobs", "model"];

// The component of a page, which gets the state in its link as `initial`; null until its file is here.
function usePage(name) {
  const [known, setKnown] = useState({});
  useEffect(() => {
    const load = () => import(`./pages/${name}.js`).then((file) => setKnown({ name, Page: Object.values(file)[0] }), () => watch().then(untilReady).then(load));
    load();
  }, [name]);
  return known.name === name ? known.Page : null;
}

function KeyForm() {
  const [text, setText] = useState(key.value);
  const use = () => {
    key.value = text.trim();
    keyRefused.value = false;
    watch();
  };
  return html`<form class="key" aria-label=${t("key.label")} onSubmit=${(event) => (event.preventDefault(), use())}>
    <${TextField} label=${t("key.label")} hint=${t("key.hint")} type="password" value=${text} onInput=${setText}
      fault=${keyRefused.value && (key.value ? t("key.wrong") : t("key.needed"))} />
    <button type="submit">${t("key.use")}</button>
  </form>`;
}

function App() {
  const here = PAGES.includes(place.value.page) ? place.value.page : "write";
  const Page = usePage(here);
  const state = service.value.state;
  const [keyShown, setKeyShown] = useState(false);
  useEffect(() => {
    document.title = `${t(`page.${here}`)} · chainwright`;
  }, [here, language.value]);
  return html`
    <header class="top"><a class="skip" href="#main" onClick=${(event) => (event.preventDefault(), document.getElementById("main").focus())}>
      ${t("skip")}</a>
      <a class="brand" href=${link("write")}><img src="studio/icon.svg" alt="" width="28" height="28" /> chainwright</a>
      <nav aria-label=${t("pages")}>
        ${PAGES.map((each) => html`<a key=${each} href=${link(each)}
          aria-current=${each === here ? "page" : undefined}>${t(`page.${each}`)}</a>`)}
      </nav>
      <div class="tools">
        <span class="state" data-state=${state} role="status">${t(`service.${state}`)}</span>
        <button type="button" class="quiet" aria-expanded=${keyShown} onClick=${() => setKeyShown(!keyShown)}>${t("key")}</button>
        <button type="button" class="quiet" onClick=${toggleTheme}>${t(theme.value === "dark" ? "theme.light" : "theme.dark")}</button>
        <button type="button" class="quiet" lang=${language.value === "zh" ? "en" : "zh"}
          onClick=${() => (language.value = language.value === "zh" ? "en" : "zh")}>${language.value === "zh" ? "English" : "中文"}</button>
      </div>
    </header>
    ${(keyShown || keyRefused.value) && html`<${KeyForm} />`}
    <main id="main" tabindex="-1">${Page && html`<h1>${t(`page.${here}`)}</h1><p class="lead">${t(`lead.${here}`)}</p>
      <${Page} key=${place.value.hash || here} initial=${place.value.state} />`}</main>
    <footer><a href="docs">${t("footer.docs")}</a></footer>`;
}

watch();
render(html`<${App} />`, document.getElementById("app"));
