// Jobs: one made, one opened, all listed, and who works on them.
import { Panel, ProblemBox, Table } from "../ui/parts.js";
import { html, useEffect, useState } from "../lib/html.js";
import { keep } from "../lib/place.js";
import { usePolled } from "../lib/poll.js";
import { language, number, t } from "../lib/words.js";
import { Make } from "../jobs/make.js";
import { JobProgress, Opened } from "../jobs/opened.js";

const [SHOWN, POLL_SECONDS, KEPT_CHARACTERS] = [10, 4, 2000];
const when = (seconds) => new Date(1000 * seconds).toLocaleString(language.value, { dateStyle: "medium", timeStyle: "short" });

export function Jobs({ initial }) {
  const [opened, setOpened] = useState(initial?.job);
  const [text, setText] = useState(initial?.text ?? "");
  const [after, setAfter] = useState("");
  const { data: list, problem, again } = usePolled(`v1/jobs?limit=${SHOWN}${after && `&after=${after}`}`, POLL_SECONDS);
  const workers = usePolled("v1/workers", POLL_SECONDS).data?.workers;
  useEffect(() => keep("jobs", { job: opened, text: text.length < KEPT_CHARACTERS ? text : undefined }), [opened, text]);
  const show = (id) => (setOpened(id), setAfter(""), again());
  const row = (job) => html`<li key=${job.id}><button type="button" aria-pressed=${job.id === opened} title=${job.id}
    onClick=${() => setOpened(job.id)}>…${job.id.slice(-6)}</button> <small>${when(job.created_at)}</small><${JobProgress} job=${job} /></li>`;
  const worker = (each) => [`${each.host} · ${each.pid}`, t(`jobs.${each.state}`), each.items_running, each.items_done,
    number(Math.max(0, Date.now() / 1000 - each.seen_at), 1)];
  return html`<div class="columns">
    <${Make} text=${text} setText=${setText} onMade=${show} />
    <div class="results">
      ${opened && html`<${Opened} key=${opened} id=${opened} onMade=${show} onMend=${setText} onEnd=${again} onGone=${() => show()} />`}
      <${Panel} title=${t("jobs.all")} data-jobs>
        ${problem && html`<${ProblemBox} problem=${problem} anew />`}
        ${list?.data.length === 0 && html`<p class="empty">${t("jobs.none")}</p>`}
        <ol class="best">${list?.data.map(row)}</ol>
        ${(after || list?.has_more) && html`<div class="controls"><button type="button" disabled=${!after} onClick=${() => setAfter("")}>${t("jobs.newest")}</button>
          <button type="button" disabled=${!list?.has_more} onClick=${() => setAfter(list.next_cursor)}>${t("jobs.older")}</button></div>`}
      </${Panel}>
      <${Panel} title=${t("jobs.workers")} data-workers>${workers && html`<${Table} caption=${t("jobs.workers.caption", { count: workers.length })}
        rows=${workers.map(worker)} columns=${["host", "state", "running", "done", "seen"].map((each) => t(`jobs.${each}`))} />`}</${Panel}>
    </div>
  </div>`;
}
