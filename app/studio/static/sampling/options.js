// The options that every task that samples shares: sampler with its law, context, what is answered.
import { Choice, NumberField, TextField } from "../ui/fields.js";
import { faultOf } from "../ui/parts.js";
import { html } from "../lib/html.js";
import { get, set } from "../lib/paths.js";
import { t } from "../lib/words.js";

// Numbers that each kind of sampler takes.
const SAMPLERS = {
  annealing: ["chains", "steps", "schedule.start", "schedule.stop"],
  metropolis: ["chains", "steps", "beta"],
  tempering: ["chains", "steps", "exchange_every"],
  gibbs: ["chains", "steps", "beta", "candidates"],
  particle_gibbs: ["chains", "steps", "particles", "renew_every", "beta"],
  rejection: ["draws"],
  importance: ["particles", "beta"],
  smc: ["particles", "beta"],
};

const CONTEXTS = ["default", "none", "pool", "examples", "instruction", "text"];

const contextKind = (context) =>
  context === undefined ? "default" : typeof context === "object" ? context.kind : context === "" ? "none" : "text";

const contextOf = (kind) => ({ default: undefined, none: "", text: " " })[kind] ?? (kind in { default: 0 } ? undefined : { kind });

const options = (prefix, names) => names.map((each) => [each, t(`${prefix}.${each}`)]);

// body and change: the request and what to call with another; known: {plan, problem} of usePlan; contexts: [kind, words] each.
export function SamplingOptions({ body, change, known, contexts = options("context", CONTEXTS) }) {
  const kind = body.sampler?.kind ?? "annealing";
  const put = (path) => (value) => change(set(body, path, value));
  const fault = (path) => faultOf(known.problem, path);
  const sampler = (path, value) => change({ ...body, sampler: { ...set(body.sampler ?? {}, path, value), kind } });
  return html`
    <${Choice} label=${t("sampler")} value=${kind} options=${options("sampler", Object.keys(SAMPLERS))}
      onInput=${(next) => change({ ...body, sampler: { kind: next } })} fault=${fault("sampler")} />
    <p class="law" data-law>${t(`law.${kind}`)}</p>
    <div class="fields">
      ${SAMPLERS[kind].map((path) => html`<${NumberField} key=${kind + path} label=${t(`option.${path}`)} min="0"
        value=${get(body.sampler, path)} placeholder=${get(known.plan?.sampler, path)} onInput=${(value) => sampler(path, value)} />`)}
      <${NumberField} label=${t("seed")} min="0" step="1" value=${body.seed} placeholder=${t("seed.drawn")} onInput=${put("seed")} fault=${fault("seed")} />
      <${NumberField} label=${t("samples")} min="1" step="1" value=${body.samples} placeholder="1" onInput=${put("samples")} fault=${fault("samples")} />
    </div>
    <details><summary>${t("more.sampling")}</summary><div class="fields">
      <${Choice} label=${t("context")} value=${contextKind(body.context)} options=${contexts} hint=${t("context.hint")}
        onInput=${(next) => put("context")(contextOf(next))} fault=${fault("context")} />
      ${contextKind(body.context) === "text" && html`<${TextField} wide area label=${t("context.text")} value=${body.context} onInput=${put("context")} />`}
      <${Choice} label=${t("select")} value=${body.select ?? "best"} options=${options("select", ["best", "last"])}
        onInput=${(next) => put("select")(next === "best" ? undefined : next)} fault=${fault("select")} />
      <${Choice} label=${t("rank_by")} value=${body.rank_by ?? ""} onInput=${(next) => put("rank_by")(next || undefined)} fault=${fault("rank_by")}
        options=${options("rank_by", ["", "log_density", "log_prob_per_token", "naturalness", "consensus", "acceptability", "minimum_bayes_risk"])} />
      <${NumberField} label=${t("seconds")} min="0" value=${body.seconds} onInput=${put("seconds")} fault=${fault("seconds")} hint=${t("seconds.hint")} />
    </div></details>`;
}

