// Errors of texts, mended one by one.
import { Check, Chips, RangeField, TextField } from "../ui/fields.js";
import { Copy, ProblemBox, Progress, Snippets, faultOf } from "../ui/parts.js";
import { html } from "../lib/html.js";
import { listed, switched } from "../lib/paths.js";
import { useRequest } from "../lib/request.js";
import { language, number, t } from "../lib/words.js";
import { CONFIDENCE, Corrections, applied } from "../correct/edits.js";
import { Result } from "../correct/result.js";
import { command, pairWritten } from "../sampling/command.js";
import { Controls } from "../sampling/controls.js";

const PATH = "v1/corrections";
const EXAMPLES = {
  zh: { texts: ["我们昨天去公圆散步，天汽很好。", "法律对妇女的权益给予特殊的保户。"] },
  en: { texts: ["We are going to the beach tommorow.", "She has three book on her desk."] },
};
// Kinds of each language: those that are looked for unless others are named, and those that must be named.
const KINDS = {
  zh: [["homophone", "near_homophone", "lookalike", "listed"], ["variant", "missing", "redundant", "function_word", "reordered", "punctuation"]],
  en: [["spelling", "inflection", "article", "preposition", "listed"], []],
};
const USUAL = [...new Set(Object.values(KINDS).flatMap(([usual]) => usual))];

const pair = (chip) => {
  const [, old, now] = chip.match(/^(.*?)\s*(?:[=＝→]\s*(.*))?$/);
  return { old, new: now ?? "" };
};

// The languages of texts, as the service takes them to be.
function languagesOf(texts) {
  const found = new Set(texts.filter((each) => /\p{L}/u.test(each)).map((each) => (/\p{Script=Han}/u.test(each) ? "zh" : "en")));
  return found.size ? [...found].sort() : [language.value];
}

export function Correct({ initial }) {
  const { body, put, work } = useRequest("correct", initial, EXAMPLES, () => new Corrections(PATH));
  const languages = languagesOf(body.texts);
  const kinds = body.kinds ?? USUAL;
  const texts = body.texts.filter((each) => each.trim());
  const known = languages.flatMap((each) => KINDS[each].flat());
  const request = { ...body, texts, kinds: body.kinds?.filter((kind) => known.includes(kind)) };
  const confidence = body.confidence ?? CONFIDENCE;
  const problem = work.problem.value;
  const fault = (path) => faultOf(problem, path);
  const start = (event) => {
    event?.preventDefault();
    work.start(request);
  };
  const choose = (kind) => (on) => {
    const next = switched(kinds, kind, on);
    put("kinds")(next.length === USUAL.length && USUAL.every((each) => next.includes(each)) ? undefined : next);
  };
  const chips = (field, read = String, written = String) => html`<${Chips} label=${t(`correct.${field}`)} hint=${t(`correct.${field}.hint`)}
    value=${(body[field] ?? []).map(written)} fault=${fault(field)} onInput=${(words) => put(field)(listed(words.map(read)))} />`;
  const status = work.status.value;
  const found = Object.keys(work.found.value).map(Number);
  const whole = found.map((place) => applied(work.found.value[place], work.taken(place, body.confidence))).join("\n");
  const progress = { done: found.length, texts: work.total, seconds: number(work.seconds.value ?? 0, 1) };
  return html`<div class="columns">
    <form class="panel" onSubmit=${start} aria-label=${t("request")}>
      <${TextField} area rows="5" label=${t("texts")} hint=${t("texts.hint")} fault=${fault("texts")} onEnter=${start}
        value=${body.texts.join("\n")} onInput=${(text) => put("texts")(text.split("\n"))} />
      <${RangeField} label=${t("correct.confidence", { percent: number(100 * confidence, 0) })} hint=${t("correct.confidence.hint")}
        value=${confidence} onInput=${(value) => put("confidence")(value === CONFIDENCE ? undefined : value)} />
      ${languages.map((each) => html`<fieldset key=${each}><legend>${t(`correct.kinds.${each}`)}</legend><div class="fields">
        ${KINDS[each].flat().map((kind) => html`<${Check} key=${kind} label=${t(`kind.${kind}`)} value=${kinds.includes(kind)}
          onInput=${choose(kind)} />`)}
      </div></fieldset>`)}
      ${fault("kinds") && html`<small class="fault" role="alert">${fault("kinds")}</small>`}
      ${chips("protect")}${chips("names")}${chips("edits", pair, pairWritten)}
      <${Controls} run=${work} start=${start} disabled=${!texts.length} />
      <${Snippets} path=${PATH} kind="corrections" body=${request} command=${command("corrections", texts, { ...request, texts: undefined })} />
    </form>
    <div class="results" data-status=${status}>
      ${status === "idle" && html`<p class="empty">${t("correct.idle")}</p>`}
      ${problem && html`<${ProblemBox} problem=${problem} anew=${work.going} retry=${problem.wait ? start : undefined} />`}
      ${!["idle", "failed"].includes(status) && html`<${Progress} share=${found.length / work.total}
        label=${t(`${["running", "stopped"].includes(status) ? "correct" : "run"}.${status}`, progress)} />`}
      ${found.map((place) => html`<${Result} key=${place} work=${work} place=${place} confidence=${body.confidence} />`)}
      ${found.length > 1 && html`<${Copy} text=${whole} label=${t("correct.copy.all")} />`}
    </div>
  </div>`;
}
