// The form that makes a job of a file or a pasted text.
import { Choice, Field, NumberField, TextField } from "../ui/fields.js";
import { ProblemBox, Table } from "../ui/parts.js";
import { html, useMemo, useState } from "../lib/html.js";
import { usePolled } from "../lib/poll.js";
import { number, t } from "../lib/words.js";
import { TASKS, decoded, guessed, itemLines, read } from "./read.js";
import { submit } from "./send.js";

const [PREVIEWED, EDITED_CHARACTERS] = [3, 50_000];
const PAGES = { sentences: "write", infills: "fill", paraphrases: "paraphrase", corrections: "correct", score: "score", search: "search" };
const drawnKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
const same = (each) => [each, each];

// text and setText: what the items are read from; onMade gets the id of the job.
export function Make({ text, setText, onMade }) {
  const [how, setHow] = useState({ task: "sentences", on_invalid: "refuse", priority: "bulk" });
  const [chosen, setChosen] = useState({});
  const [file, setFile] = useState(null);
  const [{ sending, problem }, setSending] = useState({});
  const { task, samples, on_invalid, priority } = how;
  const indexes = usePolled(task === "search" ? "v1/indexes" : null, 0).data?.indexes.map(({ name }) => same(name)) ?? [];
  const index = how.index ?? indexes[0]?.[0];
  const given = useMemo(() => read(text), [text]);
  const guess = useMemo(() => given?.header && guessed(given.header, task), [given?.header?.join("\n"), task]);
  const columns = chosen.guess === guess ? (chosen.columns ?? guess) : guess;
  const key = useMemo(drawnKey, [text, JSON.stringify([how, columns]), sending === false]);
  const lines = (most) => itemLines(given, { task, index, columns, samples }, most);
  const put = (name) => (value) => setHow({ ...how, [name]: value });
  const choice = (name, options) => html`<${Choice} label=${t(`jobs.${name}`)} value=${how[name]} options=${options} onInput=${put(name)} />`;
  const words = (...names) => names.map((each) => [each, t(`jobs.${each}`)]);
  const take = (event) => {
    const [taken] = event.currentTarget.files;
    if (taken) decoded(taken).then((found) => (setFile({ ...found, name: taken.name }), setText(found.text)));
  };
  const send = async (event) => {
    event?.preventDefault();
    setSending({ sending: true });
    await submit(lines(), { on_invalid, priority }, key).then((id) => (setSending({ sending: false }), onMade(id)), (found) => setSending({ problem: found }));
  };
  const row = (name, column) => [name, html`<select aria-label=${t("jobs.field_of", { name })}
    onChange=${(event) => setChosen({ guess, columns: columns.with(column, event.currentTarget.value) })}>
    ${["", "custom_id", ...Object.keys(TASKS[task])].map((each) => html`<option value=${each} selected=${each === columns[column]}>
      ${each || t("jobs.unused")}</option>`)}</select>`, given.rows[0]?.[column]];
  return html`<form class="panel" onSubmit=${send} aria-label=${t("request")}>
    ${text.length > EDITED_CHARACTERS ? html`<p>${t("jobs.large", { characters: number(text.length) })}</p>`
      : html`<${TextField} area rows="7" label=${t("jobs.items")} hint=${t("jobs.items.hint")} value=${text} onInput=${setText} />`}
    <${Field} label=${t("jobs.file")} fault=${file && !file.encoding && t("jobs.file.fault")} hint=${file?.encoding && `${file.name} · ${file.encoding}`}
      field=${(tied) => html`<input ...${tied} type="file" accept=".jsonl,.ndjson,.json,.csv,.tsv,.txt" onChange=${take} />`} />
    <p class="actions"><button type="button" onClick=${() => setText(t("jobs.example.text"))}>${t("jobs.example")}</button>
      <button type="button" disabled=${!text} onClick=${() => (setText(""), setFile(null))}>${t("jobs.clear")}</button></p>
    ${given && html`<div class="fields">
      ${!(given.rows || given.bare) ? null : html`${choice("task", Object.entries(PAGES).map(([each, page]) => [each, t(`page.${page}`)]))}
        ${task === "search" && html`<${Choice} label=${t("jobs.index")} value=${index} onInput=${put("index")} options=${indexes} />`}
        ${"samples" in TASKS[task] && html`<${NumberField} label=${t("samples")} min="1" step="1" placeholder="1" value=${samples} onInput=${put("samples")} />`}`}
      ${choice("on_invalid", words("refuse", "skip"))}${choice("priority", words("bulk", "interactive"))}</div>
    ${given.rows && html`<${Table} caption=${t("jobs.columns")} rows=${given.header.map(row)} columns=${words("column", "field", "first_row").map(([, word]) => word)} />`}
    <p class="hint">${t("jobs.preview", { count: number(given.count) })}</p>
    <pre tabindex="0" data-preview>${lines(PREVIEWED).map((line) => line.slice(0, 500)).join("\n")}</pre>`}
    ${problem && html`<${ProblemBox} problem=${problem} retry=${send} />`}
    <div class="controls"><button type="submit" class="primary" disabled=${!given?.count || sending}>${t(sending ? "jobs.sending" : "jobs.submit")}</button></div>
  </form>`;
}
