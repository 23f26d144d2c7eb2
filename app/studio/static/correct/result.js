// A text with its edits, each to be taken or refused, and what comes of it.
import { Copy, Panel } from "../ui/parts.js";
import { html } from "../lib/html.js";
import { number, t } from "../lib/words.js";
import { applied, between } from "./edits.js";

const SURE = [["sure", 0.9], ["likely", 0.65], ["open", 0.4], ["unlikely", 0]];

const howSure = (confidence) =>
  t(`sure.${SURE.find(([, least]) => confidence >= least)[0]}`, { percent: number(100 * confidence, 1) });

// One that is refused is only offered: what stands there stays, the other beside it in brackets.
const inText = (edit, yes) =>
  yes
    ? html`${edit.old && html`<del>${edit.old}</del>`}${edit.new && html`<ins>${edit.new}</ins>`}`
    : html`<span class="offered">${edit.old}<small>[${edit.new || t("edit.nothing")}?]</small></span>`;

export function Result({ work, place, confidence }) {
  const correction = work.found.value[place];
  const { edits, alternatives } = correction;
  const taken = work.taken(place, confidence);
  const result = applied(correction, taken);
  const all = (yes) => () => work.decide(place, edits.map((_, each) => each), yes);
  const row = (edit, each) => {
    const decide = (yes) => html`<button type="button" aria-pressed=${taken[each] === yes} onClick=${() => work.decide(place, [each], yes)}>
      ${t(yes ? "edit.accept" : "edit.refuse")}</button>`;
    const change = `${edit.old || t("edit.nothing")} → ${edit.new || t("edit.nothing")}`;
    return html`<li key=${each} data-edit=${taken[each] ? "accepted" : "refused"}>
      <span><b class="text">${change}</b> <small>${t(`kind.${edit.kind}`)} · ${howSure(edit.confidence)}</small></span>
      <span class="actions" role="group" aria-label=${change}>${decide(true)}${decide(false)}</span></li>`;
  };
  return html`<${Panel} title=${t("text.number", { number: place + 1 })} data-text=${place}
    actions=${edits.length > 1 && html`<button type="button" onClick=${all(true)}>${t("edit.accept.all")}</button>
      <button type="button" onClick=${all(false)}>${t("edit.refuse.all")}</button>`}>
    <p class="text given">${between(correction).map((piece, each) => html`${piece}${edits[each] && inText(edits[each], taken[each])}`)}</p>
    ${edits.length ? html`<ul class="edits">${edits.map(row)}</ul>` : html`<p class="facts">${t("correct.nothing")}</p>`}
    ${edits.length > 0 && html`<h3>${t("correct.result")}</h3><p class="text given" data-result>${result}</p>`}
    <p class="actions"><${Copy} text=${result} /></p>
    ${alternatives.length > 0 && html`<details><summary>${t("correct.alternatives")}</summary><ul class="best">${alternatives.map((each) =>
      html`<li key=${each.target}><p class="text">${each.target}</p><p class="facts">${t("correct.density", { value: number(each.log_density) })}
        <span class="actions"><${Copy} text=${each.target} /></span></p></li>`)}</ul></details>`}
  </${Panel}>`;
}
