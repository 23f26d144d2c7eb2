// Why a key was answered: where it came from, what each token cost, what ranked it.
import { html } from "../lib/html.js";
import { number, t } from "../lib/words.js";
import { Table } from "../ui/parts.js";
import { Token } from "./trie.js";

// The question with the name that was found in it; places are counted in code points.
function Question({ query, mention }) {
  const letters = [...query];
  const part = (from, to) => letters.slice(from, to).join("");
  return html`<p class="text">${part(0, mention.start)}<b class="keyword">${mention.text}</b>
    ${mention.misspelt && html` → <ins>${mention.name}</ins> `}${part(mention.end)}</p>`;
}

export function Why({ query, why }) {
  const tokens = why.tokens.map((each) => [html`<${Token} text=${each.text} />`, each.log_prob, each.allowed]);
  const features = why.features.map((each) => [html`<code lang="en">${each.name}</code>`, each.value, each.weight, each.contribution]);
  return html`<details data-why><summary>${t("search.why")}</summary>
    <p>${t("search.why.source", { source: t(`search.source.${why.source}`) })} ${t(`search.order.${why.order}`)}</p>
    ${why.mention && html`<${Question} query=${query} mention=${why.mention} />`}
    <${Table} caption=${t("search.why.tokens")} columns=${[t("search.why.token"), t("search.why.log_prob"), t("search.why.allowed")]} rows=${tokens} />
    ${features.length > 0 && html`<${Table} caption=${t("search.why.features")} rows=${features}
      columns=${[t("search.why.feature"), t("value"), t("search.why.weight"), t("search.why.contribution")]} />`}
  </details>`;
}

export const Lost = ({ neighbours }) =>
  neighbours?.length > 0 && html`<details data-lost><summary>${t("search.lost")}</summary><${Table} caption=${t("search.lost")}
    columns=${[t("search.lost.key"), t("search.lost.score"), t("search.lost.source")]}
    rows=${neighbours.map((each) => [each.text, each.score, t(`search.source.${each.source}`)])} /></details>`;
