// What computes the scores, and how it stands.
import { Panel, ProblemBox, Table } from "../ui/parts.js";
import { html } from "../lib/html.js";
import { usePolled } from "../lib/poll.js";
import { number, t } from "../lib/words.js";

const POLL_SECONDS = 10;
const PLACES = ["memory", "redis", "nowhere"];

export function Model() {
  const { data, problem, again } = usePolled("v1/models", 0);
  const store = usePolled("ready", POLL_SECONDS).data?.store;
  const metrics = usePolled("metrics", POLL_SECONDS, true).data;
  const version = usePolled("openapi.json", 0).data?.info.version;
  const { computing, vocabularies, batch_invariant, parameters, max_context, ...card } = data?.models[0] ?? {};
  const facts = { ...card, ...computing, parameters: number(parameters), max_context: number(max_context), vocabularies: vocabularies?.join(", "),
    batch_invariant: t(batch_invariant ? "yes" : "no"), store: store && t(`model.${store.kept}`), breaker: store?.redis && t(`model.${store.redis}`), version };
  const times = PLACES.map((place) => Number(metrics?.match(new RegExp(`^chainwright_scores_total{found="${place}"} (.+)$`, "m"))?.[1] ?? 0));
  const asked = times.reduce((sum, each) => sum + each, 0);
  const cached = PLACES.map((place, at) => [t(`model.${place}`), times[at], asked ? `${number((100 * times[at]) / asked, 1)} %` : "–"]);
  return html`${problem && html`<${ProblemBox} problem=${problem} retry=${again} />`}${data && html`<div class="columns results">
    <${Panel} title=${t("model.card")} data-card>
      <${Table} caption=${card.name} columns=${[t("figure"), t("value")]}
        rows=${Object.entries(facts).filter(([, value]) => value).map(([name, value]) => [t(`model.${name}`), value])} />
      <p class="actions"><a href="docs">${t("footer.docs")}</a><a href="openapi.json">${t("model.openapi")}</a><a href="metrics">${t("model.metrics")}</a></p>
      ${metrics && html`<${Table} caption=${t("model.cache")} columns=${[t("model.found"), t("model.times"), t("moves.share")]} rows=${cached} />`}</${Panel}>
    <${Panel} title=${t("model.limits")}><${Table} caption=${t("model.limits.hint")} columns=${[t("figure"), t("value")]}
      rows=${Object.entries(data.limits).map(([name, most]) => [html`<code>CHAINWRIGHT_${name.toUpperCase()}</code>`, most])} /></${Panel}></div>`}`;
}
