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

// text and setText: what the items are read from; onMade gets the id of the job.
export function Make({ text, setText, onMade }) {
  const [how, setHow] = useState({ task: "sentences", on_invalid: "refuse", priority: "bulk" });
  const [{ guess: old, columns: chosen }, setColumns] = useState({});
  const [file, setFile] = useState(null);
  const [{ sending, problem }, setSending] = useState({});
  const { task, samples, on_invalid, priority } = how;
  const indexes = usePolled(task === "search" ? "v1/indexes" : null, 0).data?.indexes.map(({ name }) => [name, name]) ?? [];
  const index = how.index ?? indexes[0]?.[0];
  const given = useMemo(() => read(text), [text]);
  const guess = useMemo(() => given?.header && guessed(given.header, task), [given?.header?.join("\n"), task]);
  const columns = chosen && old === guess ? chosen : guess;
  const key = useMemo(drawnKey, [text, JSON.stringify([how, columns]), sending === false]);
  const lines = (most) => itemLines(given, { task, index, columns, samples }, most);
  const put = (name) => (value) => setHow({ ...how, [name]: value });
  const choice = (name, values, word) => html`<${Choice} label=${t(`jobs.${name}`)} value=${how[name]} options=${values.map((each) => [each, t(word(each))])}
    onInput=${put(name)} />`;
  const take = async (event) => {
    const [taken] = event.currentTarget.files;
    if (!taken) return;
    const found = await decoded(taken);
    setFile({ ...found, name: taken.name });
    setText(found.text);
  };
  const send = async (event) => {
    event?.preventDefault();
    setSending({ sending: true });
    await submit(lines(), { on_invalid, priority }, key).then((id) => (setSending({ sending: false }), onMade(id)), (found) => setSending({ problem: found }));
  };
  const row = (name, column) => [name, html`<select aria-label=${t("jobs.field_of", { name })}
    onChange=${(event) => setColumns({ guess, columns: columns.with(column, event.currentTarget.value) })}>
    ${["", "custom_id", ...Object.keys(TASKS[task])].map((each) => html`<option value=${each} selected=${each === columns[column]}>
      ${each || t("jobs.unused")}</option>`)}</select>`,
    given.rows[0]?.[column]];
  return html`<form class="panel" onSubmit=${send} aria-label=${t("request")}>
    ${text.length > EDITED_CHARACTERS
      ? html`<p>${t("jobs.large", { characters: number(text.length) })}</p>`
      : html`<${TextField} area rows="7" label=${t("jobs.items")} hint=${t("jobs.items.hint")} value=${text} onInput=${setText} />`}
    <${Field} label=${t("jobs.file")} fault=${file && !file.encoding && t("jobs.file.fault")} hint=${file?.encoding && `${file.name} · ${file.encoding.toUpperCase()}`}
      field=${(tied) => html`<input ...${tied} type="file" accept=".jsonl,.ndjson,.json,.csv,.tsv,.txt" onChange=${take} />`} />
    <p class="actions"><button type="button" onClick=${() => setText(t("jobs.example.text"))}>${t("jobs.example")}</button>
      <button type="button" disabled=${!text} onClick=${() => (setText(""), setFile(null))}>${t("jobs.clear")}</button></p>
    ${given && html`<div class="fields">
      ${(given.rows || given.bare) && html`${choice("task", Object.keys(TASKS), (each) => `page.${PAGES[each]}`)}
        ${task === "search" && html`<${Choice} label=${t("jobs.index")} value=${index} onInput=${put("index")} options=${indexes.length ? indexes : [["", "–"]]} />`}
        ${"samples" in TASKS[task] && html`<${NumberField} label=${t("samples")} min="1" step="1" placeholder="1" value=${samples} onInput=${put("samples")} />`}`}
      ${choice("on_invalid", ["refuse", "skip"], (each) => `jobs.${each}`)}${choice("priority", ["bulk", "interactive"], (each) => `jobs.${each}`)}</div>
    ${given.rows && html`<${Table} caption=${t("jobs.columns")} rows=${given.header.map(row)} columns=${[t("jobs.column"), t("compare.field"), t("jobs.first_row")]} />`}
    <p class="hint">${t("jobs.preview", { count: number(given.count) })}</p>
    <pre tabindex="0" data-preview>${lines(PREVIEWED).map((line) => line.slice(0, 500)).join("\n")}</pre>`}
    ${problem && html`<${ProblemBox} problem=${problem} retry=${send} />`}
    <div class="controls"><button type="submit" class="primary" disabled=${!given?.count || sending}>${t(sending ? "jobs.sending" : "jobs.submit")}</button></div>
  </form>`;
}
