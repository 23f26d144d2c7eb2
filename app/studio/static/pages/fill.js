// A text with blanks, filled.
import { Chips, TextField } from "../ui/fields.js";
import { Snippets, faultOf } from "../ui/parts.js";
import { html, useRef } from "../lib/html.js";
import { listed, set } from "../lib/paths.js";
import { useRequest } from "../lib/request.js";
import { t } from "../lib/words.js";
import { around, carried, countBlanks, inserted } from "../fill/blanks.js";
import { command } from "../sampling/command.js";
import { Controls } from "../sampling/controls.js";
import { LengthFields } from "../sampling/length.js";
import { Live } from "../sampling/live.js";
import { SamplingOptions } from "../sampling/options.js";
import { usePlan } from "../sampling/plan.js";
import { Run } from "../sampling/run.js";

const PATH = "v1/infills";
const EXAMPLES = {
  zh: { text: "我们昨天在___散步，天气很___。", blanks: [{}, { length: { max: 2 } }], samples: 3 },
  en: { text: "She opened the ___ and found ___ inside.", blanks: [{}, { keywords: ["letter"], length: { max: 4 } }], samples: 3 },
};

// What was written in the blanks of a text is marked, what stands around them is not.
const filled = (text) => (found) => html`<span class="marked">${around(text).map((piece, place) =>
  html`${piece}${place < found.fills.length && html`<ins>${found.fills[place]}</ins>`}`)}</span>`;

export function Fill({ initial }) {
  const { body, setBody, put, work: run, run: begin, sent } = useRequest("fill", initial, EXAMPLES, () => new Run(PATH, "sentence"));
  const box = useRef(null);
  const count = countBlanks(body.text);
  const known = usePlan(PATH, body, count > 0);
  const fault = (path) => faultOf(known.problem ?? run.problem.value, path);
  const asked = body.blanks ?? Array.from({ length: count }, () => ({}));
  const ask = (blanks, text = body.text) =>
    setBody({ ...set(body, "blanks", blanks.some((each) => Object.keys(each).length) ? blanks : undefined), text });
  const write = (text) => ask(carried(asked, body.text, text), text);
  const insert = () => {
    const { text, at } = inserted(body.text, box.current.selectionStart, box.current.selectionEnd);
    write(text);
    requestAnimationFrame(() => (box.current.focus(), box.current.setSelectionRange(at, at)));
  };
  const start = (event) => (event?.preventDefault(), begin(body));
  const row = (blank, place) => {
    const change = (path) => (value) => ask(asked.map((each, at) => (at === place ? set(each, path, value) : each)));
    return html`<fieldset key=${place} data-blank><legend>${t("fill.blank", { number: place + 1 })}</legend>
      <${Chips} label=${t("fill.words")} hint=${t("fill.words.hint")} value=${blank.keywords ?? []} fault=${fault(`blanks[${place}]`)}
        onInput=${(chips) => change("keywords")(listed(chips))} />
      <${LengthFields} length=${blank.length} put=${(name) => change(`length.${name}`)} /></fieldset>`;
  };
  return html`<div class="columns">
    <form class="panel" onSubmit=${start} aria-label=${t("request")}>
      <${TextField} area label=${t("fill.text")} hint=${t("fill.text.hint")} value=${body.text} box=${box} onInput=${write} onEnter=${start}
        fault=${count ? fault("text") : t("fill.none")} />
      <div class="controls"><button type="button" onClick=${insert}>${t("fill.insert")}</button><small>${t("fill.insert.hint")}</small></div>
      ${asked.map(row)}
      <${Chips} label=${t("forbidden")} hint=${t("forbidden.hint")} value=${body.forbidden ?? []} fault=${fault("forbidden")}
        onInput=${(chips) => put("forbidden")(listed(chips))} />
      <${SamplingOptions} body=${body} change=${setBody} known=${known} />
      <${Controls} run=${run} start=${start} disabled=${!count} plan=${known.plan} />
      <${Snippets} path=${PATH} kind="infills" body=${body} command=${command("infills", [body.text], { ...body, text: undefined })} />
    </form>
    <div class="results">
      <${Live} run=${run} words=${(sent?.blanks ?? []).flatMap((each) => each.keywords ?? [])} found=${(answer) => answer.infills}
        show=${filled(sent?.text ?? "")} retry=${start} />
    </div>
  </div>`;
}
