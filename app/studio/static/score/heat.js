// Scores token by token: tinted cells, one text below the other, what is known of the chosen token, and all as a table.
import { Panel, Table } from "../ui/parts.js";
import { html, useMemo, useState } from "../lib/html.js";
import { number, t } from "../lib/words.js";
import { aligned } from "./align.js";

const SURPRISE = [0.5, 2, 4, 6, 9]; // nats at which the next tint begins
const tint = (log_prob) => SURPRISE.filter((each) => -log_prob >= each).length;
const percent = (log_prob) => `${Number((100 * Math.exp(log_prob)).toPrecision(3))} %`;
const SIGNS = { " ": "␣", "\n": "⏎", "\t": "⇥", "\u3000": "□" };
const visible = (token) => token.replace(/[ \n\t\u3000]/g, (space) => SIGNS[space]) || "∅";
const columns = (...names) => names.map((each) => t(`score.${each}`));

function verdict([a, b]) {
  if (a.vocabulary !== b.vocabulary || a.context !== b.context) return t("score.apart");
  const [sum, mean] = [a.log_prob - b.log_prob, a.log_prob_per_token - b.log_prob_per_token];
  const nats = Math.abs(sum);
  const times = nats < 14 ? number(Math.exp(nats), 1) : `10^${number(nats / Math.LN10, 0)}`;
  const which = sum > 0 ? "score.first" : sum < 0 ? "score.second" : "score.same";
  return `${t(which, { nats: number(nats), times, mean: number(Math.abs(mean)) })} ${sum * mean < 0 ? t("score.length") : ""}`;
}

function Details({ score: { tokens, log_probs, ranks, entropies, top }, place }) {
  const row = ({ token, log_prob }, at) => [at + 1, visible(token), log_prob, percent(log_prob), token === tokens[place] ? "✓" : ""];
  const facts = { log_prob: number(log_probs[place]), share: percent(log_probs[place]), rank: number(ranks[place]), entropy: number(entropies[place]) };
  return html`<div data-details><h3>${place + 1} · ${visible(tokens[place])}</h3><p>${t("score.facts", facts)}</p>
    <${Table} caption=${t("score.likeliest")} columns=${columns("rank", "token", "log_prob", "share", "this")} rows=${top[place].map(row)} /></div>`;
}

export function Heat({ scores }) {
  const [[text, place], choose] = useState([0, 0]);
  const [asTable, setAsTable] = useState(false);
  const [first, second] = scores;
  const pairs = useMemo(() => (second ? aligned(first.tokens, second.tokens) : first.tokens.map((_, at) => [at])), [scores]);
  const keys = (event) => {
    const cells = (of) => event.currentTarget.querySelectorAll(`[data-text="${of}"]`);
    const across = cells(1 - text)[pairs.find((pair) => pair[text] === place)[1 - text]];
    const to = { ArrowLeft: cells(text)[place - 1], ArrowRight: cells(text)[place + 1], ArrowUp: across, ArrowDown: across }[event.key];
    if (to) event.preventDefault(), to.focus();
  };
  const cell = (at, of) => {
    if (at === null) return html`<span class="gap">–</span>`;
    const chosen = of === text && at === place;
    const take = () => choose([of, at]);
    return html`<button type="button" data-text=${of} data-tint=${tint(scores[of].log_probs[at])} aria-pressed=${chosen} tabindex=${chosen ? 0 : -1}
      onFocus=${take} onMouseEnter=${take} onClick=${take}>${visible(scores[of].tokens[at])}<small>${number(scores[of].log_probs[at])}</small></button>`;
  };
  const difference = ([one, other]) => {
    const more = first.tokens[one] === second.tokens[other] ? second.log_probs[other] - first.log_probs[one] : null;
    return more === null ? "≠" : `${more > 0 ? "+" : ""}${number(more)}`;
  };
  const row = (score) => (token, at) => [visible(token), score.log_probs[at], score.ranks[at], score.entropies[at], visible(score.top[at][0].token)];
  const total = (each) => [each.text.slice(0, 40), each.log_prob, each.log_prob_per_token, Math.exp(-each.log_prob_per_token), each.tokens.length, each.vocabulary];
  return html`<${Panel} title=${t("score.result")} data-scores
    actions=${html`<button type="button" aria-pressed=${asTable} onClick=${() => setAsTable(!asTable)}>${t("chart.table")}</button>`}>
    ${second && html`<p data-verdict><strong>${verdict(scores)}</strong></p>`}
    <${Table} caption=${t("score.totals")} rows=${scores.map(total)} columns=${columns("text", "log_prob", "mean", "perplexity", "tokens", "mask")} />
    ${asTable
      ? scores.map((score) => html`<${Table} caption=${score.text} rows=${score.tokens.map(row(score))}
          columns=${columns("token", "log_prob", "rank", "entropy", "likeliest")} />`)
      : html`<p class="legend">${t("score.legend")} ${[0, ...SURPRISE].map((least) => html`<span data-tint=${tint(-least)}>≥ ${number(least)}</span> `)}
          ${second && t("score.legend.two")}</p>
        <ol class="heat" onKeyDown=${keys}>${pairs.map((pair) => html`<li>${pair.map(cell)}${second && html`<small>${difference(pair)}</small>`}</li>`)}</ol>
        <${Details} score=${scores[text]} place=${place} />`}
  </${Panel}>`;
}
