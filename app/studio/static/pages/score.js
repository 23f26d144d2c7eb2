// Texts, and how likely they are.
import { Choice, TextField } from "../ui/fields.js";
import { ProblemBox, Progress, Snippets, faultOf } from "../ui/parts.js";
import { call } from "../lib/api.js";
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { keep } from "../lib/place.js";
import { language, t } from "../lib/words.js";
import { command } from "../sampling/command.js";
import { Heat } from "../score/heat.js";

const [PATH, TOP] = ["v1/score", 5];
const EXAMPLES = { zh: ["今天我去公园散步。", "今天我去公园吃步。"], en: ["We walk our dog in the park.", "We walk our dog on the park."] };
const contextKind = ({ context }) => (context === undefined ? "default" : context === "" ? "none" : "text");

export function Score({ initial }) {
  const [body, setBody] = useState({ texts: EXAMPLES[language.value], ...initial });
  const [{ scores, problem, going }, setState] = useState({});
  const leaving = useRef(null);
  const { texts, ...rest } = { ...body, texts: body.texts.filter((each) => each.trim()), top: TOP };
  const run = (event) => {
    event?.preventDefault();
    leaving.current?.abort();
    const { signal } = (leaving.current = new AbortController());
    setState({ going: true });
    call("POST", PATH, { texts, ...rest }, { signal }).then(setState, (found) => signal.aborted || setState({ problem: found }));
  };
  useEffect(() => keep("score", body), [body]);
  useEffect(() => (initial && run(), () => leaving.current?.abort()), []);
  const put = (name) => (value) => setBody({ ...body, [name]: value });
  const choice = (name, value, options, onInput, hint) => html`<${Choice} label=${t(name)} hint=${hint} value=${value} onInput=${onInput}
    options=${options.map((each) => [each, t(`${name}.${each}`)])} fault=${faultOf(problem, name)} />`;
  const text = (place) => html`<${TextField} area label=${t(place ? "score.another" : "score.text")} value=${body.texts[place]} onEnter=${run}
    fault=${faultOf(problem, `texts[${place}]`)} onInput=${(value) => put("texts")([0, 1].map((each) => (each === place ? value : (body.texts[each] ?? ""))))} />`;
  return html`<div class="columns">
    <form class="panel" onSubmit=${run} aria-label=${t("request")}>
      ${text(0)}${text(1)}
      ${choice("language", body.language ?? "auto", ["auto", "zh", "en"], (each) => put("language")(each === "auto" ? undefined : each))}
      ${choice("context", contextKind(body), ["default", "none", "text"], (kind) => put("context")({ none: "", text: " " }[kind]), t("context.hint"))}
      ${contextKind(body) === "text" && html`<${TextField} area label=${t("context.text")} value=${body.context} onInput=${put("context")} />`}
      <div class="controls"><button type="submit" class="primary" disabled=${going || !texts.length}>${t("page.score")}</button></div>
      <${Snippets} path=${PATH} kind="score" body=${{ texts, ...rest }} command=${command("score", texts, rest)} />
    </form>
    <div class="results" data-status=${going ? "running" : problem ? "failed" : scores ? "done" : "idle"}>
      ${going && html`<${Progress} label=${t("score.going")} />`}${problem && html`<${ProblemBox} problem=${problem} retry=${run} />`}
      ${scores ? html`<${Heat} scores=${scores} />` : !going && !problem && html`<p class="empty">${t("score.idle")}</p>`}
    </div></div>`;
}
