// What a run does, while it does it: the best so far, a row for each chain, log-densities, moves, convergence.
import { Chart } from "../ui/chart.js";
import { Panel, ProblemBox, Progress, Table, Copy } from "../ui/parts.js";
import { html, useMemo, useState } from "../lib/html.js";
import { link } from "../lib/place.js";
import { number, t, tOr } from "../lib/words.js";
import { Marked } from "./marked.js";

const SHOWN = 12;

// run: a Run; words: to be boxed; found: the texts of an answer; retry: starts the run again; show: a text found, marked; name:
// where there are two.
export function Live({ run, words, found, retry, show, name }) {
  const status = run.status.value;
  if (status === "idle") return html`<p class="empty">${t("run.idle")}</p>`;
  const answer = run.answer.value;
  return html`<div class="live" data-status=${status}>
    ${run.problem.value && html`<${ProblemBox} problem=${run.problem.value} anew=${run.going} retry=${run.problem.value.wait ? retry : undefined} />`}
    ${status !== "failed" && html`
      <${RunProgress} run=${run} />
      <${Best} texts=${answer ? found(answer) : run.best.value} words=${words} show=${show} done=${!!answer} name=${name} />
      <${Chains} run=${run} words=${words} name=${name} />
      ${answer && html`<${Diagnosis} answer=${answer} name=${name} />`}`}
  </div>`;
}

export function RunProgress({ run }) {
  const { step, steps } = run.progress.value;
  const status = run.status.value;
  const words = t(status === "running" && !steps ? "run.begun" : `run.${status}`, { step, steps, seconds: number(run.seconds.value ?? 0, 1) });
  return html`<${Progress} share=${status === "done" ? 1 : steps ? step / steps : undefined} label=${words} />`;
}

const titled = (title, name) => (name ? `${title} · ${name}` : title);

// facts: what is said of a text besides.
export function Best({ texts, words, done, show, facts, name, title = t(done ? "best.found" : "best.so_far") }) {
  const [pinned, setPinned] = useState([]);
  const isPinned = (text) => pinned.some((each) => each.text === text);
  const pin = (each) => setPinned(isPinned(each.text) ? pinned.filter(({ text }) => text !== each.text) : [...pinned, each]);
  const rest = texts.filter((each) => !isPinned(each.text));
  if (!texts.length && !pinned.length) return null;
  const row = (each, place) => html`<li key=${each.text} class=${place === 0 && !pinned.length ? "first" : ""}>
    <p class="text" data-best>${show ? show(each) : html`<${Marked} tokens=${[each.text]} words=${words} />`}</p>
    <p class="facts">${facts?.(each)} ${t("best.facts", { log_prob: number(each.log_prob_per_token), chain: each.chain + 1, step: each.step })}
      <span class="actions"><${Copy} text=${each.text} />
      <button type="button" aria-pressed=${isPinned(each.text)} onClick=${() => pin(each)}>${t(isPinned(each.text) ? "unpin" : "pin")}</button>
      <a href=${link("score", { texts: [each.text] })}>${t("best.score")}</a></span></p></li>`;
  return html`<${Panel} title=${titled(title, name)}>
    <ol class="best" aria-live="polite">${[...pinned, ...rest].slice(0, SHOWN + pinned.length).map(row)}</ol></${Panel}>`;
}

export function Chains({ run, words, name }) {
  const replay = run.replay.value;
  const version = run.version.value;
  const [held, setHeld] = useState(null); // a step that the reader scrubbed to; null follows the run
  const drawn = useMemo(() => replay?.densities(), [replay, version]);
  if (!replay?.chains.length || !replay.chains[0].first.length) return null;
  const last = replay.steps;
  const step = Math.min(held ?? last, last);
  const scrub = (event) => {
    const to = Number(event.currentTarget.value);
    setHeld(to >= last ? null : to);
  };
  const row = (_, chain) => {
    const { tokens, last: edit } = replay.at(chain, step);
    const what = edit ? t("chain.edit", { move: tOr(`move.${edit.move}`, edit.move), step: edit.step }) : t("chain.first");
    return html`<li key=${chain}><span class="name">${chain + 1}</span>
      <span class="text"><${Marked} tokens=${tokens} words=${words} edit=${edit} /></span><small>${what}</small></li>`;
  };
  const moves = Object.entries(replay.tally).map(([move, { tried, moved }]) => [
    tOr(`move.${move}`, move), tried, moved, `${number((100 * moved) / tried, 1)} %`,
  ]);
  return html`<${Panel} title=${titled(t("chains"), name)}>
    <div class="scrub"><label>${t("chains.step", { step, steps: last })}
      <input type="range" min="0" max=${last} value=${step} onInput=${scrub} /></label></div>
    <ol class="chains">${replay.chains.map(row)}</ol>
    <p class="legend"><b class="keyword">${t("legend.keyword")}</b> <ins>${t("legend.new")}</ins> <del>${t("legend.old")}</del></p>
    <${Chart} title=${titled(t("chart.density"), name)} x=${drawn.x} xLabel=${t("chart.step")} lines=${drawn.lines} />
    ${moves.length > 0 && html`<${Table} caption=${titled(t("moves"), name)} rows=${moves}
      columns=${[t("moves.move"), t("moves.tried"), t("moves.moved"), t("moves.share")]} />`}
  </${Panel}>`;
}

function verdict(diagnostics) {
  if (diagnostics.converged === true) return "convergence.yes";
  if (diagnostics.converged === false) return "convergence.no";
  if (diagnostics.reason?.startsWith("annealing")) return "convergence.search";
  return diagnostics.draws ? "convergence.draws" : "convergence.unknown";
}

export function Diagnosis({ answer, name }) {
  const { diagnostics, usage } = answer;
  const figures = ["log_density", "length", "keyword_order"];
  const rows = ["rhat", "ess_bulk", "ess_tail", "mcse"]
    .filter((each) => diagnostics[each])
    .map((each) => [t(`figure.${each}`), ...figures.map((name) => diagnostics[each][name])]);
  const draws = Object.entries(diagnostics.draws ?? {}).filter(([, value]) => value !== null);
  return html`<${Panel} title=${titled(t("diagnosis"), name)}>
    <p data-verdict><strong>${t(verdict(diagnostics))}</strong> <span lang="en">${diagnostics.summary}</span></p>
    ${rows.length > 0 && html`<${Table} caption=${titled(t("figures"), name)} rows=${rows}
      columns=${[t("figure"), ...figures.map((each) => t(`quantity.${each}`))]} /><p class="hint">${t("figures.hint")}</p>`}
    ${draws.length > 0 && html`<${Table} caption=${titled(t("draws"), name)} columns=${[t("figure"), t("value")]}
      rows=${draws.map(([name, value]) => [t(`draws.${name}`), value])} />`}
    <p class="hint">${t("usage", {
      calls: number(usage.lm_calls), tokens: number(usage.lm_tokens), recalled: number(usage.recalled),
      seconds: number(diagnostics.seconds, 1), states: number(diagnostics.states_visited), seed: answer.seed,
    })}</p>
  </${Panel}>`;
}
