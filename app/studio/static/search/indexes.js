// The indexes of the service: their names, and one of them with its build, its malformed lines and its deletion.
import { call, service } from "../lib/api.js";
import { html, useEffect, useState } from "../lib/html.js";
import { number, t } from "../lib/words.js";
import { Panel, ProblemBox, Progress, Sure, Table } from "../ui/parts.js";

const POLL_MILLISECONDS = 500;

export const pathOf = (index) => `v1/indexes/${encodeURIComponent(index)}`;
const isBuilt = (report) => ["waiting", "building"].includes(report?.build?.state);

// {names, report, problem, again}: asked anew on `again`, when the service is back, and while a build goes on.
export function useIndexes(index) {
  const [known, setKnown] = useState({ names: [], report: null, problem: null });
  const [round, setRound] = useState(0);
  const again = () => setRound((before) => before + 1);
  useEffect(() => {
    if (service.value.state !== "ready") return undefined;
    const leaving = new AbortController();
    const get = (path) => call("GET", path, undefined, { signal: leaving.signal });
    let timer = null;
    Promise.allSettled([get("v1/indexes"), get(pathOf(index))]).then(([all, one]) => {
      if (leaving.signal.aborted) return;
      const names = all.value?.indexes.map((each) => each.name) ?? [];
      setKnown({ names, report: one.value ?? null, problem: one.reason ?? all.reason ?? null });
      if (isBuilt(one.value)) timer = setTimeout(again, POLL_MILLISECONDS);
    });
    return () => (leaving.abort(), clearTimeout(timer));
  }, [index, round, service.value.state]);
  return { ...known, report: known.report?.name === index ? known.report : null, again };
}

// removed: to be called when the index is gone.
export function IndexPanel({ index, known, removed }) {
  const [problem, setProblem] = useState(null);
  const { report } = known;
  const remove = () => call("DELETE", pathOf(index)).then(removed, setProblem);
  const state = isBuilt(report) ? "building" : report?.state;
  const facts = { keys: number(report?.keys), kilobytes: number(report?.bytes / 1024, 0), parts: report?.parts?.map((each) => t(`part.${each}`)).join(" / ") };
  const failure = report?.failure ?? report?.build?.failure;
  const malformed = report?.report?.malformed > 0 && report.report;
  return html`<${Panel} title=${t("index", { index })} data-index-state=${state} actions=${report && state !== "building" &&
    html`<${Sure} label=${t("index.delete")} question=${t("index.delete.sure", { index })} onYes=${remove} />`}>
    ${(problem ?? known.problem) && html`<${ProblemBox} problem=${problem ?? known.problem} />`}
    ${state === "building" && html`<${Progress} share=${report.build.total ? report.build.done / report.build.total : undefined}
      label=${t("build.going", { seconds: number(report.build.seconds, 0), step: report.build.step })} />`}
    ${state === "ready" && html`<p class="facts">${t("index.facts", facts)}
      ${report.changes?.bytes > 0 && ` · ${t("index.changed", { added: report.changes.keys_added, removed: report.changes.keys_removed })}`}</p>`}
    ${state === "on-first-use" && html`<p class="facts">${t("index.first_use")}</p>`}
    ${failure && html`<p class="fault" role="alert">${t("index.failed")} <span lang="en">${failure}</span></p>`}
    ${malformed && html`<p>${t("index.malformed", { malformed: number(malformed.malformed), lines: number(malformed.lines) })}
        <span lang="en">${malformed.note}</span></p>
      <${Table} caption=${t("index.malformed.first")} columns=${[t("index.line"), t("index.fault")]}
        rows=${malformed.examples.map((each) => [each.line, html`<span lang="en">${each.fault}</span>`])} />`}
  </${Panel}>`;
}
