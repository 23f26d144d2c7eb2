// Questions to an index: the keys that answer and why, the index's trie and facts, and new indexes.
import { call } from "../lib/api.js";
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { keep } from "../lib/place.js";
import { set } from "../lib/paths.js";
import { language, t } from "../lib/words.js";
import { Check, Choice, NumberField, TextField } from "../ui/fields.js";
import { Panel, ProblemBox, Progress, Snippets, faultOf } from "../ui/parts.js";
import { command } from "../sampling/command.js";
import { Build } from "../search/build.js";
import { Fact } from "../search/fact.js";
import { IndexPanel, pathOf, useIndexes } from "../search/indexes.js";
import { Results } from "../search/results.js";
import { Trie } from "../search/trie.js";

const EXAMPLES = {
  zh: ["法国的货币是什么？", "秘鲁说什么语言？", "澳大力亚的货币是什么？"],
  en: ["What is the currency of Japan?", "What language is spoken in Peru?", "What is the currency of Germny?"],
};
const commandOf = ({ index, query, n, ...rest }) => command("search", [index, query, ...(n ? ["-n", String(n)] : [])], rest);

export function Search({ initial }) {
  const [request, setRequest] = useState({ index: "demo", query: EXAMPLES[language.value][0], ...initial });
  const [run, setRun] = useState({ going: false }); // and asked, answer, problem
  const [change, setChange] = useState({}); // the last of the index: from where, outcome or problem
  const [draft, setDraft] = useState({});
  const [walk, setWalk] = useState(null);
  const leaving = useRef(null);
  const lower = useRef(null);
  const { index, ...body } = request;
  const known = useIndexes(index);
  const put = (name) => (value) => setRequest(set(request, name, value));
  const fault = (name) => faultOf(run.problem, name);
  useEffect(() => keep("search", request), [request]);
  useEffect(() => () => leaving.current?.abort(), []);
  const ask = async (asked) => {
    leaving.current?.abort();
    const { signal } = (leaving.current = new AbortController());
    setRun((before) => ({ ...before, going: true, problem: null }));
    const { index: name, ...question } = asked;
    try {
      const answer = await call("POST", `${pathOf(name)}/search`, { ...question, explain: true }, { signal });
      setRun({ going: false, asked, answer });
      known.again();
    } catch (problem) {
      if (signal.aborted) return;
      setRun({ going: false, asked, problem });
      if (problem.status === undefined) throw problem;
    }
  };
  const stop = () => (leaving.current.abort(), setRun({ ...run, going: false }));
  const submit = (event) => (event?.preventDefault(), ask(request));
  const example = (query) => (setRequest({ ...request, query }), ask({ ...request, query }));
  const choose = (name) => (setRequest({ ...request, index: name }), setWalk(null), setDraft({}), setChange({}));
  // Change an index, and ask again so that it shows.
  const apply = async (from, name, entries) => {
    const done = await call("PATCH", pathOf(name), entries).then((outcome) => ({ outcome }), (problem) => ({ problem }));
    setChange({ ...done, from, retry: () => apply(from, name, entries) });
    if (done.problem) return;
    if (from === "fact") setDraft({});
    known.again();
    if (run.asked?.index === name) ask(run.asked);
  };
  const changed = (from) => change.from === from && (change.problem
    ? html`<${ProblemBox} problem=${change.problem} retry=${change.retry} />`
    : html`<p role="status" data-changed>${t("search.changed", change.outcome)}</p>`);
  const ofResult = {
    open: (why) => (choose(run.asked.index), setWalk({ tokens: why.tokens.slice(0, -1).map((each) => each.id) })),
    remove: (entry) => apply("results", run.asked.index, { remove: [entry] }),
    add: (key) => (choose(run.asked.index), setDraft(key), requestAnimationFrame(() => lower.current.querySelector("[data-fact] textarea")?.focus())),
  };
  const { report } = known;
  const names = [...new Set([...known.names, index])];
  return html`<div class="columns">
    <form class="panel" onSubmit=${submit} aria-label=${t("request")}>
      <${Choice} label=${t("index.choose")} value=${index} options=${names.map((each) => [each, each])} onInput=${choose} />
      <${TextField} label=${t("search.question")} value=${body.query} onInput=${put("query")} fault=${fault("query")} onEnter=${submit} />
      ${index === "demo" && html`<p class="hint">${t("search.question.try")} <span class="actions">${EXAMPLES[language.value].map((each) =>
        html`<button type="button" onClick=${() => example(each)}>${each}</button>`)}</span></p>`}
      <div class="fields">
        <${NumberField} label=${t("search.n")} min="1" step="1" value=${body.n} placeholder="3" onInput=${put("n")} fault=${fault("n")} />
        <${Choice} label=${t("search.mode")} value=${body.mode ?? "beam"} options=${["beam", "exact"].map((each) => [each, t(`search.mode.${each}`)])}
          onInput=${(mode) => put("mode")(mode === "beam" ? undefined : mode)} hint=${t(`search.mode.${body.mode ?? "beam"}.hint`)} />
      </div>
      <${Check} label=${t("search.abstain")} hint=${t("search.abstain.hint")} value=${!!body.abstain} onInput=${(on) => put("abstain")(on || undefined)} />
      <${Check} label=${t("search.rerank")} value=${body.rerank ?? true} onInput=${(on) => put("rerank")(on ? undefined : false)} />
      <div class="controls">${run.going ? html`<button type="button" class="primary" onClick=${stop}>${t("stop")}</button>`
        : html`<button type="submit" class="primary" disabled=${!body.query}>${t("search.ask")}</button>`}</div>
      <${Snippets} path="${pathOf(index)}/search" kind="search" body=${body} place=${{ index }} command=${commandOf(request)} />
    </form>
    <div class="results" data-status=${run.going ? "running" : run.problem ? "failed" : run.answer ? "done" : "idle"}>
      ${!run.going && !run.answer && !run.problem && html`<p class="empty">${t("search.idle")}</p>`}
      ${run.going && html`<${Progress} label=${t("search.going")} />`}
      ${run.problem && html`<${ProblemBox} problem=${run.problem} retry=${() => ask(run.asked)} />`}
      ${run.answer && html`<${Panel} title=${t("search.results", { index: run.answer.index })}>${changed("results")}
        <${Results} answer=${run.answer} ...${ofResult} /></${Panel}>`}
    </div>
  </div>
  <div class="columns results">
    <div>${report?.state === "ready" && html`<${Trie} key=${index} index=${index} walk=${walk}
      stamp=${JSON.stringify([report.keys, report.bytes, report.changes])} />`}</div>
    <div ref=${lower}><${IndexPanel} key=${index} index=${index} known=${known} removed=${() => (known.again(), choose("demo"))} />
      ${report?.parts && html`<${Fact} parts=${report.parts} draft=${draft} setDraft=${setDraft} problem=${change.problem}
        add=${(entry) => apply("fact", index, { add: [entry] })}>${changed("fact")}</${Fact}>`}
      <${Build} names=${known.names} started=${(name) => (choose(name), known.again())} /></div>
  </div>`;
}
