// A second run beside the first: the same request and seed, but for one field.
import { Choice, NumberField } from "../ui/fields.js";
import { Panel, Table } from "../ui/parts.js";
import { html, useMemo, useState } from "../lib/html.js";
import { get, set } from "../lib/paths.js";
import { number, t } from "../lib/words.js";
import { Live } from "./live.js";
import { Run } from "./run.js";

const SWITCHES = ["ordered", "once", "allow_repeats", "allow_copies"];
const CHOICES = {
  "sampler.kind": ["annealing", "metropolis", "tempering", "gibbs", "particle_gibbs", "rejection", "importance", "smc"],
  context: ["", "pool", "examples"],
  proposals: ["context", "examples"],
};
const NUMBERS = ["sampler.steps", "sampler.chains", "sampler.beta", "length.min", "length.max", "seed"];
const FIELDS = [...Object.keys(CHOICES), ...NUMBERS, ...SWITCHES];

const SWITCHED = { true: true, false: false };

function changed(body, field, value) {
  if (field === "sampler.kind") return { ...body, sampler: { kind: value } };
  if (field === "context") return { ...body, context: value && { kind: value } };
  return set(body, field, value);
}

// The figures of an answer to be held against another's.
function figures(run, found) {
  const answer = run.answer.value;
  const [best] = answer ? found(answer) : run.best.value;
  const moves = Object.values(run.replay.value?.tally ?? {});
  return {
    best: best?.text,
    log_prob: best && number(best.log_prob_per_token),
    log_density: best && number(best.log_density),
    moved: moves.length ? number(moves.reduce((sum, each) => sum + each.moved, 0)) : undefined,
    rhat: answer && number(answer.diagnostics.rhat?.log_density),
    tokens: answer && number(answer.usage.lm_tokens),
    seconds: answer && number(answer.diagnostics.seconds, 1),
  };
}

// run and body: the first column's, as it was run; words: to be boxed.
export function Compare({ run, body, words, found }) {
  const other = useMemo(() => new Run(run.path, run.item), []);
  const [field, setField] = useState("sampler.kind");
  const [value, setValue] = useState("metropolis");
  const next = changed(body, field, value);
  const choose = (name) => {
    setField(name);
    setValue(CHOICES[name] ? CHOICES[name].at(-1) : SWITCHES.includes(name) ? !get(body, name) : undefined);
  };
  const label = t("compare.value");
  const input = CHOICES[field]
    ? html`<${Choice} label=${label} value=${value} options=${CHOICES[field].map((each) => [each, each || t("context.none")])} onInput=${setValue} />`
    : SWITCHES.includes(field)
      ? html`<${Choice} label=${label} value=${String(value)} options=${[["true", t("yes")], ["false", t("no")]]} onInput=${(text) => setValue(SWITCHED[text])} />`
      : html`<${NumberField} label=${label} value=${value} onInput=${setValue} />`;
  const [mine, theirs] = [figures(run, found), figures(other, found)];
  const name = `${field} = ${value}`;
  const rows = Object.keys(mine)
    .filter((name) => mine[name] !== theirs[name])
    .map((name) => [t(`compare.${name}`), mine[name], theirs[name]]);
  return html`<${Panel} title=${t("compare")}>
    <p class="hint">${t("compare.hint", { seed: body.seed })}</p>
    <div class="fields"><${Choice} label=${t("compare.field")} value=${field} options=${FIELDS.map((each) => [each, each])} onInput=${choose} />
      ${input}
      <button type="button" class="primary" onClick=${() => (other.going ? other.stop() : other.start(next))}>${t(other.going ? "stop" : "compare.run")}</button></div>
    ${other.status.value !== "idle" && html`<${Table} caption=${t("compare.differences")} rows=${rows}
      columns=${[t("figure"), t("compare.first"), name]} />`}
    <div data-second><${Live} run=${other} name=${name} words=${words} found=${found} retry=${() => other.start(next)} /></div>
  </${Panel}>`;
}
