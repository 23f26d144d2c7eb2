// One job: how far it is, what it found, what failed and why.
import { call, stream, untilReady } from "../lib/api.js";
import { Copy, Panel, ProblemBox, Progress, Sure, Table, sentences } from "../ui/parts.js";
import { html, useEffect, useState } from "../lib/html.js";
import { usePolled } from "../lib/poll.js";
import { number, t, tOr } from "../lib/words.js";
import { failedItems, itemsOf, jsonLines, save, submit } from "./send.js";

const [SHOWN, READ_ERRORS, NAMED, POLL_SECONDS] = [50, 200, 5, 5];
const RANKS = { validating: 0, in_progress: 1, finalizing: 2, cancelling: 2 };
const hasEnded = (job) => !!job && !(job.status in RANKS);
// The newer of two reports, for events are told from the beginning.
const rank = ({ status, request_counts }) => 1e9 * (RANKS[status] ?? 3) + request_counts.completed + request_counts.failed;
const newer = (known, news) => (!known || !news ? (known ?? news) : rank(news) >= rank(known) ? { ...known, ...news } : known);

async function follow(id, tell, signal) {
  const options = { signal, last: ({ data }) => hasEnded(data) };
  while (!signal.aborted)
    try {
      for await (const { data } of stream("GET", `v1/jobs/${id}/events`, undefined, options)) tell((known) => newer(known, data));
      return;
    } catch (problem) {
      if (problem.status !== 0 && problem.status !== 503) return; // anything else is told by the job's own route
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await untilReady(signal).catch(() => {});
    }
}

// What an answer found, a line of text each.
const FOUND = {
  sentences: ({ text }) => text,
  infills: ({ text }) => text,
  paraphrases: ({ source, texts }) => `${source} → ${texts.map(({ text }) => text).join(" / ")}`,
  corrections: ({ source, target, changed }) => (changed ? `${source} → ${target}` : `${target} ✓`),
  scores: ({ text, log_prob_per_token }) => `${text} · ${t("compare.log_prob")} ${number(log_prob_per_token)}`,
  answers: ({ query, results }) => `${query} → ${results.map(({ text, values }) => `${text}: ${values.join(", ")}`).join(" / ")}`,
};
const found = (body) => Object.keys(FOUND).flatMap((name) => (body[name] ?? []).map((each) => html`<p class="text">${FOUND[name](each)}</p>`));

// Errors by their codes; each with what the first of its kind says.
const faultIn = ({ response, error }) => response?.body?.errors?.[0] ?? error;
const grouped = (errors) => Object.entries(Object.groupBy(errors, (each) => faultIn(each).code)).map(([code, group]) => {
  const first = faultIn(group[0]);
  return html`<li key=${code}><b>${tOr(`code.${code}`, code)}</b> × ${group.length}: ${group.slice(0, NAMED).map((each) => each.custom_id).join(", ")}
    ${group.length > NAMED && " …"}<br /><span lang="en">${first.field && html`<code>${first.field}</code>: `}${sentences(first)}</span></li>`;
});

export const JobProgress = ({ job: { status, request_counts: counts, rate, seconds_left } }) => html`<${Progress}
  share=${(counts.completed + counts.failed) / Math.max(1, counts.total)} label=${[t(`jobs.${status}`), t("jobs.counts", counts),
    counts.failed && t("jobs.errors", counts), rate && t("jobs.rate", { rate: number(rate) }),
    seconds_left && t("jobs.left", { seconds: number(seconds_left, 0) })].filter(Boolean).join(" · ")} />`;

// onMade gets the id of a new job, onMend items to be put into the form; onEnd and onGone: the job has ended, is deleted.
export function Opened({ id, onMade, onMend, onEnd, onGone }) {
  const [told, setTold] = useState(null);
  const [fault, setFault] = useState(null);
  const [ended, setEnded] = useState(false);
  const seconds = ended ? 0 : POLL_SECONDS;
  const asked = usePolled(`v1/jobs/${id}`, seconds);
  const job = newer(asked.data, told);
  const { completed, total, failed } = job?.request_counts ?? {};
  const lost = hasEnded(job) ? total - completed : failed; // what an end cut off too
  const results = usePolled(completed ? `v1/jobs/${id}/results?limit=${SHOWN}` : null, seconds, true).data;
  const errors = usePolled(lost ? `v1/jobs/${id}/errors?limit=${READ_ERRORS}` : null, seconds, true).data;
  useEffect(() => {
    const leaving = new AbortController();
    if (job && !hasEnded(job)) follow(id, setTold, leaving.signal);
    return () => leaving.abort();
  }, [!job]);
  useEffect(() => void (hasEnded(job) && (setEnded(true), onEnd())), [job?.status]);
  const doing = (work) => () => work().then(() => setFault(null), setFault);
  const button = (word, work) => html`<button type="button" onClick=${doing(work)}>${t(`jobs.${word}`)}</button>`;
  const remove = () => call("DELETE", `v1/jobs/${id}`).then((left) => (left ? setTold(left) : (sessionStorage.removeItem(id), onGone())));
  const retry = async () => onMade(await submit(await failedItems(id), { on_invalid: "skip", priority: job.priority }, `retry of ${id}`));
  const problem = fault ?? (asked.problem?.away ? null : asked.problem);
  const actions = job && (ended ? html`<${Sure} label=${t("jobs.delete")} question=${t("jobs.delete.sure")} onYes=${doing(remove)} />` : button("cancel", remove));
  return html`<${Panel} title=${t("jobs.opened")} actions=${actions} data-job=${id} data-status=${job?.status}>
    <p class="facts"><code>${id}</code> <${Copy} text=${id} /></p>
    ${problem && html`<${ProblemBox} problem=${problem} />`}
    ${job && html`<${JobProgress} job=${job} />`}${job?.error && html`<p class="fault" lang="en">${job.error}</p>`}
    ${results && html`<${Table} caption=${t("jobs.results", { shown: SHOWN, all: completed })} columns=${[t("jobs.item"), t("best.found")]}
      rows=${jsonLines(results).map((line) => [line.custom_id, found(line.response.body)])} />${button("save", () => save(id, "results"))}`}
    ${errors && html`<h3>${t("jobs.errors", { failed: lost })}</h3><ul data-errors>${grouped(jsonLines(errors))}</ul>
      <div class="controls">${button("save", () => save(id, "errors"))}${ended && itemsOf(id) && html`
        ${button("retry", retry)}${button("mend", async () => onMend((await failedItems(id)).join("\n")))}`}</div>
      ${!itemsOf(id) && html`<p class="hint">${t("jobs.unknown_items")}</p>`}`}
  </${Panel}>`;
}
