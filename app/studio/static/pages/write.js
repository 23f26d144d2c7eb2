// Keywords to sentences.
import { Check, Chips, Choice, TextField } from "../ui/fields.js";
import { Panel, Snippets, faultOf } from "../ui/parts.js";
import { html, useState } from "../lib/html.js";
import { get, listed } from "../lib/paths.js";
import { useRequest } from "../lib/request.js";
import { t } from "../lib/words.js";
import { Compare } from "../sampling/compare.js";
import { Controls } from "../sampling/controls.js";
import { LengthFields } from "../sampling/length.js";
import { Live } from "../sampling/live.js";
import { SamplingOptions } from "../sampling/options.js";
import { usePlan } from "../sampling/plan.js";
import { Run } from "../sampling/run.js";
import { countWritten, formsWritten, sentencesCommand } from "../sampling/command.js";

const PATH = "v1/sentences";
const EXAMPLES = { zh: { keywords: ["今天", "公园", "散步"], samples: 3 }, en: { keywords: ["children", "snow", "garden"], samples: 3 } };

const read = (chip) => (chip.includes("|") ? chip.split("|").map((each) => each.trim()).filter(Boolean) : chip);
const counted = (text) => {
  const [, phrase, sign, times] = text.match(/^(.+?)\s*([<>]=)\s*(\d+)$/) ?? [null, text];
  return sign ? { phrase, [sign === ">=" ? "at_least" : "at_most"]: Number(times) } : { phrase };
};

export function Write({ initial }) {
  const { body, setBody, put, work: run, run: begin, sent } = useRequest("write", initial, EXAMPLES, () => new Run(PATH, "sentence"));
  const [comparing, setComparing] = useState(false);
  const known = usePlan(PATH, body, body.keywords.length > 0);
  const text = (path) => (value) => put(path)(value || undefined);
  const fault = (path) => faultOf(known.problem ?? run.problem.value, path);
  const start = (event) => (event?.preventDefault(), begin(body));
  const { plan } = known;
  const taken = plan?.length.unit === "characters" && plan.keywords.map((forms) => Math.min(...forms.map((tokens) => tokens.join("").trim().length)));
  const words = (sent ?? body).keywords.flat();
  const switched = (name, otherwise) => html`<${Check} label=${t(name)} value=${body[name] ?? otherwise}
    onInput=${(value) => put(name)(value === otherwise ? undefined : value)} />`;
  return html`<div class="columns">
    <form class="panel" onSubmit=${start} aria-label=${t("request")}>
      <${Chips} label=${t("keywords")} hint=${t("keywords.hint")} value=${body.keywords.map(formsWritten)} fault=${fault("keywords")}
        onInput=${(chips) => put("keywords")(chips.map(read))} />
      ${switched("ordered", false)}
      <${Chips} label=${t("forbidden")} hint=${t("forbidden.hint")} value=${body.forbidden ?? []} fault=${fault("forbidden")}
        onInput=${(chips) => put("forbidden")(listed(chips))} />
      <fieldset><legend>${t("length")}</legend>
      <${LengthFields} length=${body.length} put=${(name) => put(`length.${name}`)} plan=${plan} />
      <small>${taken && t("length.taken", { characters: taken.reduce((sum, each) => sum + each, 0) })}</small>
      ${fault("length") && html`<small class="fault" role="alert">${fault("length")}</small>`}</fieldset>
      <details><summary>${t("more.constraints")}</summary><div class="fields">
        <${TextField} label=${t("starts_with")} value=${body.starts_with} onInput=${text("starts_with")} fault=${fault("starts_with")} />
        <${TextField} label=${t("ends_with")} value=${body.ends_with} onInput=${text("ends_with")} fault=${fault("ends_with")} />
        <${TextField} label=${t("acrostic")} hint=${t("acrostic.hint")} value=${body.acrostic} onInput=${text("acrostic")} fault=${fault("acrostic")} />
        <${TextField} label=${t("pattern")} hint=${t("pattern.hint")} value=${body.pattern} onInput=${text("pattern")} fault=${fault("pattern")} />
        <${Chips} wide label=${t("counts")} hint=${t("counts.hint")} value=${(body.counts ?? []).map(countWritten)} fault=${fault("counts")}
          onInput=${(chips) => put("counts")(listed(chips.map(counted)))} />
        <${Chips} wide label=${t("vocabulary")} hint=${t("vocabulary.hint")} value=${get(body, "vocabulary.words") ?? []} fault=${fault("vocabulary")}
          onInput=${(chips) => put("vocabulary")(chips.length ? { ...body.vocabulary, words: chips } : undefined)} />
        ${body.vocabulary && html`<${Check} label=${t("function_words")} value=${!!body.vocabulary.function_words} onInput=${put("vocabulary.function_words")} />`}
        ${switched("once", true)}${switched("allow_repeats", false)}${switched("allow_copies", false)}
        <${Choice} label=${t("language")} value=${body.language ?? "auto"} options=${["auto", "zh", "en"].map((each) => [each, t(`language.${each}`)])}
          onInput=${(each) => put("language")(each === "auto" ? undefined : each)} fault=${fault("language")} />
      </div></details>
      <${SamplingOptions} body=${body} change=${setBody} known=${known} />
      <${Controls} run=${run} start=${start} disabled=${!body.keywords.length} plan=${plan}>
        <button type="button" aria-expanded=${comparing} disabled=${!sent} onClick=${() => setComparing(!comparing)}>${t("compare")}</button>
      </${Controls}>
      <${Snippets} path=${PATH} kind="sentences" body=${body} command=${sentencesCommand(body)} />
    </form>
    <div class=${comparing && sent ? "columns results" : "results"}>
      <${Live} run=${run} words=${words} found=${(answer) => answer.sentences} retry=${start} />
      ${comparing && sent && html`<${Compare} run=${run} body=${sent} words=${words} found=${(answer) => answer.sentences} />`}
    </div>
  </div>`;
}
