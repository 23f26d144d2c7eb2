// Parts that pages share: panels, problems, tables, copying, snippets.
import { untilReady } from "../lib/api.js";
import { html, useEffect, useId, useRef, useState } from "../lib/html.js";
import { snippets } from "../lib/snippets.js";
import { number, t, tOr } from "../lib/words.js";

export function Panel({ title, actions, children, ...rest }) {
  const id = useId();
  return html`<section class="panel" aria-labelledby=${id} ...${rest}>
    <header><h2 id=${id}>${title}</h2>${actions && html`<div class="actions">${actions}</div>`}</header>
    ${children}
  </section>`;
}

// A problem in the words of the service, with what mends it; a wait counts down to `retry`; anew: work goes on by itself.
export function ProblemBox({ problem, retry, anew }) {
  const [left, setLeft] = useState(problem.wait);
  useEffect(() => {
    setLeft(problem.wait);
    if (!problem.wait) return undefined;
    const timer = setInterval(() => setLeft((now) => Math.max(0, now - 1)), 1000);
    return () => clearInterval(timer);
  }, [problem]);
  useEffect(() => {
    const leaving = new AbortController();
    if (problem.away && retry) untilReady(leaving.signal).then(retry, () => {});
    return () => leaving.abort();
  }, [problem]);
  const title = problem.away ? t("problem.away") : tOr(`problem.${problem.status}`, t("problem.other"));
  return html`<div class="problem" role="alert">
    <strong>${title}</strong>
    ${problem.away && html`<p>${t(retry || anew ? "problem.goes_on" : "problem.comes_back")}</p>`}
    ${!problem.away && !problem.errors.length && html`<p>${problem.message}</p>`}
    <ul>${problem.errors.map((each) => html`<li><code>${each.field}</code> <b>${tOr(`code.${each.code}`, each.code)}</b>${" "}
      <span lang="en">${sentences(each)}</span></li>`)}</ul>
    ${problem.wait && html`<p>${left > 0 ? t("problem.wait", { seconds: left }) : t("problem.waited")}
      ${retry && html` <button type="button" disabled=${left > 0} onClick=${retry}>${t("retry")}</button>`}</p>`}
  </div>`;
}

// What is wrong and what mends it, as two sentences.
export const sentences = ({ message, remedy }) => `${message}.${remedy ? ` ${remedy[0].toUpperCase()}${remedy.slice(1)}.` : ""}`;

// The fault of a field among a problem's errors, if there is one; `field` may be the beginning of its path.
export const faultOf = (problem, field) => {
  const found = problem?.errors.find((each) => each.field.startsWith(field) && /^([[.]|$)/.test(each.field.slice(field.length)));
  return found && sentences(found);
};

// Rows of cells; columns of numbers and shares stand to the right.
export function Table({ caption, columns, rows, keys }) {
  const kinds = columns.map((_, place) => rows.some(({ [place]: each }) => typeof each === "number" || / %$/.test(each)) && "number");
  const cell = (each, place) => html`<td class=${kinds[place]}>${typeof each === "number" ? number(each, 3) : (each ?? "–")}</td>`;
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${caption}><table>
    <caption>${caption}</caption>
    <thead><tr>${columns.map((each, place) => html`<th scope="col" class=${kinds[place]}>${each}</th>`)}</tr></thead>
    <tbody>${rows.map((row, place) => html`<tr key=${keys?.[place] ?? place}>${row.map(cell)}</tr>`)}</tbody>
  </table></div>`;
}

// Browsers give the clipboard to pages by https and of the same machine alone; elsewhere what is selected is copied.
function toClipboard(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.body.appendChild(Object.assign(document.createElement("textarea"), { value: text }));
  field.select();
  return document.execCommand("copy") && field.remove();
}

export function Copy({ text, label = t("copy") }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await toClipboard(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return html`<button type="button" onClick=${copy} aria-live="polite">${copied ? t("copied") : label}</button>`;
}

// A button that asks before it does what cannot be undone; name: where its label alone would not tell.
export function Sure({ label, name, question, onYes }) {
  const dialog = useRef(null);
  const close = () => dialog.current.close();
  return html`<button type="button" aria-label=${name} title=${name} onClick=${() => dialog.current.showModal()}>${label}</button>
    <dialog ref=${dialog} aria-label=${question}><p>${question}</p><div class="controls">
      <button type="button" onClick=${close}>${t("sure.no")}</button>
      <button type="button" class="primary" data-sure onClick=${() => (close(), onYes())}>${name ?? label}</button></div></dialog>`;
}

// "As curl, Python, command, job": the request of a task in other forms; `command` is its command line.
export function Snippets({ path, kind, body, command, place }) {
  const forms = { ...snippets(path, kind, body, place), ...(command ? { command } : {}) };
  return html`<details class="snippets"><summary>${t("snippets")}</summary>
    ${Object.entries(forms).map(([name, text]) => html`<div key=${name}><p><b>${tOr(`snippet.${name}`, name)}</b></p>
      <pre tabindex="0">${text}</pre><${Copy} text=${text} /></div>`)}
  </details>`;
}

// How far long work is: `share` from 0 to 1, or unknown.
export const Progress = ({ share, label }) =>
  html`<div class="progress"><progress max="1" value=${share} aria-label=${label}></progress><span>${label}</span></div>`;
