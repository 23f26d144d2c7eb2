// The keys that answer a question: their values, how sure each is, and what can be done with them.
import { html } from "../lib/html.js";
import { number, t } from "../lib/words.js";
import { Sure } from "../ui/sure.js";
import { Lost, Why } from "./why.js";

const VALUES = 20;

const percent = (share) => (share < 0.001 ? "< 0.1 %" : `${number(100 * share, 1)} %`);

function Result({ result, query, sure, open, remove, add }) {
  const { key, text, values, explanation: why } = result;
  const share = percent(result.confidence);
  const value = (each) => html`<li key=${each}><span class="chip">${each}</span> <${Sure} label="×" name=${t("search.value.remove", { value: each })}
    question=${t("search.value.remove.sure", { key: text, value: each })} onYes=${() => remove({ ...key, values: [each] })} /></li>`;
  return html`<li data-result=${text}>
    <p class="text">${values.slice(0, VALUES).join(" · ")}${values.length > VALUES && ` … ${t("search.values.more", { left: number(values.length - VALUES) })}`}</p>
    <p>${text}</p>
    <p class="facts"><meter min="0" max="1" value=${result.confidence} aria-label=${t("search.confidence")}></meter> ${t(sure ? "search.sure" : "search.share", { share })}
      ${" · "}${t("search.score.nats", { score: number(result.score, 3) })} ${why && html`<span class="actions">
      <button type="button" onClick=${() => open(why.tokens.slice(0, -1).map((each) => each.id))}>${t("trie.open")}</button></span>`}</p>
    ${why && html`<${Why} query=${query} why=${why} />`}
    <details><summary>${t("search.values")}</summary><ul class="path">${values.slice(0, VALUES).map(value)}</ul><p class="actions">
      <button type="button" onClick=${() => add(key)}>${t("search.value.add")}</button>
      <${Sure} label=${t("search.key.remove")} question=${t("search.key.remove.sure", { key: text })} onYes=${() => remove(key)} /></p></details>
  </li>`;
}

// answer: of a search of one question; open, remove, add: what the buttons of a result call.
export function Results({ answer, ...does }) {
  const [{ query, results, no_answer, neighbours, proven }] = answer.answers;
  const { model, ranking } = answer;
  const fitted = model.calibrated && ranking === "fitted";
  return html`<div aria-live="polite">
    <p class="hint">${query}</p>
    ${no_answer && html`<p data-no-answer><strong>${t("search.no_answer")}</strong> ${results.length > 0 && t("search.no_answer.closest")}</p>`}
    ${!results.length && html`<p class="empty">${t("search.results.none")}</p>`}
    </div><ol class="best" data-results>${results.map((each, place) => html`<${Result} key=${each.text} result=${each} query=${query}
      sure=${fitted && place === 0} ...${does} />`)}</ol>
    <${Lost} neighbours=${neighbours} />
    <p class="hint">${t(`search.ranking.${ranking}`)} ${proven && t("search.proven")} ${model.note && html`<span lang="en">${model.note}</span>`}</p>`;
}
