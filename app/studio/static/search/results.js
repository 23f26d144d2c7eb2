// The keys that answer a question: their values, how sure each is, why it was found, and what can be done with it.
import { html } from "../lib/html.js";
import { number, t } from "../lib/words.js";
import { Sure, Table } from "../ui/parts.js";
import { Token, some } from "./trie.js";

const CHANGEABLE = 20; // values, each with its button

const percent = (share) => (share < 0.001 ? "< 0.1 %" : `${number(100 * share, 1)} %`);

// The question with the name that was found in it; places are counted in code points.
function Question({ query, mention }) {
  const letters = [...query];
  return html`<p>${letters.slice(0, mention.start).join("")}<b class="keyword">${mention.text}</b>
    ${mention.misspelt && html` → <ins>${mention.name}</ins> `}${letters.slice(mention.end).join("")}</p>`;
}

function Why({ query, why }) {
  const tokens = why.tokens.map((each) => [html`<${Token} text=${each.text} />`, each.log_prob, each.allowed]);
  const features = why.features.map((each) => [html`<code lang="en">${each.name}</code>`, each.value, each.weight, each.contribution]);
  return html`<details data-why><summary>${t("search.why")}</summary>
    <p>${t("search.why.source", { source: t(`search.source.${why.source}`) })} ${t(`search.order.${why.order}`)}</p>
    ${why.mention && html`<${Question} query=${query} mention=${why.mention} />`}
    <${Table} caption=${t("search.why.tokens")} rows=${tokens}
      columns=${[t("search.why.token"), t("search.why.log_prob"), t("search.why.allowed")]} />
    ${features.length > 0 && html`<${Table} caption=${t("search.why.features")} rows=${features}
      columns=${[t("search.why.feature"), t("value"), t("search.why.weight"), t("search.why.contribution")]} />`}
  </details>`;
}

function Result({ result, query, sure, open, remove, add }) {
  const { key, text, values, confidence, score, explanation: why } = result;
  const value = (each) => html`<li key=${each}><span class="chip">${each}</span> <${Sure} label="×" name=${t("search.value.remove", { value: each })}
    question=${t("search.value.remove.sure", { key: text, value: each })} onYes=${() => remove({ ...key, values: [each] })} /></li>`;
  return html`<li class=${sure && "first"} data-result=${text}>
    <p class="text">${some(values)}</p>
    <p>${text}</p>
    <p class="facts"><meter min="0" max="1" value=${confidence} aria-label=${t("search.confidence")}></meter>
      ${" "}${t(sure ? "search.sure" : "search.share", { share: percent(confidence) })} · ${t("search.score.nats", { score: number(score, 3) })}
      ${" "}<span class="actions"><button type="button" onClick=${() => open(why)}>${t("trie.open")}</button></span></p>
    <${Why} query=${query} why=${why} />
    <details><summary>${t("search.values")}</summary><ul class="path">${values.slice(0, CHANGEABLE).map(value)}</ul><p class="actions">
      <button type="button" onClick=${() => add(key)}>${t("search.value.add")}</button>
      <${Sure} label=${t("search.key.remove")} question=${t("search.key.remove.sure", { key: text })} onYes=${() => remove(key)} /></p></details>
  </li>`;
}

// answer: of a search of one question; open, remove, add: what the buttons of a result call.
export function Results({ answer, ...does }) {
  const { model, ranking, answers: [{ query, results, no_answer, neighbours, proven }] } = answer;
  const sure = model.calibrated && ranking === "fitted";
  const lost = neighbours.map((each) => [each.text, each.score, t(`search.source.${each.source}`)]);
  return html`<p class="hint">${query}</p>
    <div aria-live="polite">${no_answer && html`<p data-no-answer><strong>${t("search.no_answer")}</strong> ${t("search.no_answer.closest")}</p>`}
      ${!results.length && html`<p class="empty">${t("search.results.none")}</p>`}</div>
    <ol class="best" data-results>${results.map((each, place) => html`<${Result} key=${each.text} result=${each} query=${query}
      sure=${sure && place === 0} ...${does} />`)}</ol>
    ${lost.length > 0 && html`<details data-lost><summary>${t("search.lost")}</summary><${Table} caption=${t("search.lost")} rows=${lost}
      columns=${[t("search.lost.key"), t("search.lost.score"), t("search.lost.source")]} /></details>`}
    <p class="hint">${t(`search.ranking.${ranking}`)} ${proven && t("search.proven")} ${model.note && html`<span lang="en">${model.note}</span>`}</p>`;
}
