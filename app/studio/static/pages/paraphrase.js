// Texts in other words, each beside its source.
import { Check, Chips, Choice, TextField } from "../ui/fields.js";
import { Panel, ProblemBox, Snippets, faultOf } from "../ui/parts.js";
import { html, useState } from "../lib/html.js";
import { listed, switched } from "../lib/paths.js";
import { useRequest } from "../lib/request.js";
import { number, t } from "../lib/words.js";
import { command } from "../sampling/command.js";
import { Controls } from "../sampling/controls.js";
import { LengthFields } from "../sampling/length.js";
import { Best, Chains, Diagnosis, RunProgress } from "../sampling/live.js";
import { Marked } from "../sampling/marked.js";
import { SamplingOptions } from "../sampling/options.js";
import { usePlan } from "../sampling/plan.js";
import { Runs } from "../sampling/run.js";

const PATH = "v1/paraphrases";
const EXAMPLES = {
  zh: { texts: ["公司昨天宣布将在上海建设三座新工厂。"], keep: ["新工厂"], samples: 3 },
  en: { texts: ["What is the best way to learn a new language quickly?"], keep: ["language"], samples: 3 },
};

const BY_MODEL = "language model"; // the measure of an answer, else an encoder's name

// How near in meaning, from what on, by the measure's own scale; how much of the words, up to what: as strengths have it.
const MEANINGS = { model: [["close", 0.9], ["near", 0.6]], encoder: [["close", 0.95], ["near", 0.9]] };
const OVERLAPS = [["strong", 0.3], ["medium", 0.5], ["light", 0.7]];

function factsOf({ similarity, overlap }, measure) {
  const scale = MEANINGS[measure === BY_MODEL ? "model" : "encoder"];
  const meaning = measure ? (scale.find(([, least]) => similarity >= least)?.[0] ?? "far") : "figure";
  const words = OVERLAPS.find(([, most]) => overlap <= most)?.[0] ?? "hardly";
  return `${t(`meaning.${meaning}`, { value: number(similarity) })} · ${t(`overlap.${words}`, { value: number(overlap) })} ·`;
}

// A text of the request: what is given on the left, what was found on the right, its chains beneath.
function Pair({ run, place, source, keep, measure }) {
  const [shown, setShown] = useState(false);
  const answer = run.answer.value;
  const kept = answer?.kept ?? keep;
  return html`<div data-text=${place} data-status=${run.status.value}>
    <div class="columns results">
      <${Panel} title=${t("text.number", { number: place + 1 })}>
        <p class="text given"><${Marked} tokens=${[source]} words=${kept} /></p>
        <p class="facts">${kept.length ? t("paraphrase.kept", { words: kept.join(" · ") }) : answer && t("paraphrase.kept.none")}</p>
        <${RunProgress} run=${run} />
      </${Panel}>
      <${Best} texts=${answer?.texts ?? run.best.value} words=${kept} facts=${(each) => factsOf(each, measure)}
        title=${t(answer ? "paraphrase.found" : "paraphrase.so_far", { number: place + 1 })} />
    </div>
    <details onToggle=${(event) => setShown(event.currentTarget.open)}><summary>${t("paraphrase.chains", { number: place + 1 })}</summary>
      ${shown && html`<${Chains} run=${run} words=${kept} />${answer && html`<${Diagnosis} answer=${answer} />`}`}</details>
  </div>`;
}

export function Paraphrase({ initial }) {
  const { body, setBody, put, work, run, sent } = useRequest("paraphrase", initial, EXAMPLES, () => new Runs(PATH, "paraphrase"));
  const request = { ...body, texts: body.texts.filter((each) => each.trim()) };
  const known = usePlan(PATH, request, request.texts.length > 0);
  const problem = work.problem.value;
  const fault = (path) => faultOf(known.problem ?? problem, path);
  const start = (event) => (event?.preventDefault(), run(request));
  const change = body.change ?? [];
  const options = (prefix, names) => names.map((each) => [each, t(`${prefix}.${each}`)]);
  const chosen = (field, names) => html`<${Choice} label=${t(field)} value=${body[field] ?? names[0]} fault=${fault(field)}
    options=${options(field, names)} onInput=${(each) => put(field)(each === names[0] ? undefined : each)} />`;
  return html`<div class="columns">
    <form class="panel" onSubmit=${start} aria-label=${t("request")}>
      <${TextField} area label=${t("texts")} hint=${t("texts.hint")} value=${body.texts.join("\n")} onEnter=${start} fault=${fault("texts")}
        onInput=${(text) => put("texts")(text.split("\n"))} />
      <${Chips} label=${t("keep")} hint=${t("keep.hint")} value=${body.keep ?? []} fault=${fault("keep")}
        onInput=${(chips) => put("keep")(listed(chips))} />
      ${chosen("strength", ["medium", "light", "strong"])}
      <fieldset><legend>${t("change")}</legend>${["names", "numbers", "negations"].map((kind) => html`<${Check} key=${kind}
        label=${t(`change.${kind}`)} value=${change.includes(kind)} onInput=${(on) => put("change")(listed(switched(change, kind, on)))} />`)}</fieldset>
      <details><summary>${t("more.constraints")}</summary>
        <${LengthFields} length=${body.length} put=${(name) => put(`length.${name}`)} plan=${request.texts.length === 1 ? known.plan : null} />
        ${fault("length") && html`<small class="fault" role="alert">${fault("length")}</small>`}
        ${chosen("similarity", ["auto", "model", "encoder"])}
      </details>
      <${SamplingOptions} body=${body} change=${setBody} known=${known}
        contexts=${[["default", t("context.worked")], ...options("context", ["none", "pool", "text"])]} />
      <${Controls} run=${work} start=${start} disabled=${!request.texts.length} plan=${known.plan} />
      <${Snippets} path=${PATH} kind="paraphrases" body=${request}
        command=${command("paraphrases", request.texts, { ...body, texts: undefined })} />
    </form>
    <div class="results" data-status=${work.status.value}>
      ${work.status.value === "idle" && html`<p class="empty">${t("paraphrase.idle")}</p>`}
      ${problem && html`<${ProblemBox} problem=${problem} anew=${work.going} retry=${problem.wait ? start : undefined} />`}
      ${work.status.value !== "failed" && work.texts.value.map((text, place) => html`<${Pair} key=${place} run=${text} place=${place}
        source=${sent.texts[place]} keep=${sent.keep ?? []} measure=${work.answer.value?.measure} />`)}
      ${work.answer.value && html`<p class="hint">${t("paraphrase.measure", {
        measure: work.answer.value.measure === BY_MODEL ? t("similarity.model") : work.answer.value.measure })}</p>`}
    </div>
  </div>`;
}
