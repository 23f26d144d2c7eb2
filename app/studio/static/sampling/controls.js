// Run, stop and pause of a run.
import { html } from "../lib/html.js";
import { number, t } from "../lib/words.js";

// plan: of a dry run, for what it will cost.
export function Controls({ run, start, disabled, plan, children }) {
  const going = run.going;
  const paused = run.paused.value;
  return html`<div class="controls">
    ${going
      ? html`<button type="button" class="primary" onClick=${() => run.stop()}>${t("stop")}</button>
          <button type="button" aria-pressed=${paused} title=${t("pause.hint")} onClick=${() => run.pause()}>${t(paused ? "resume" : "pause")}</button>`
      : html`<button type="submit" class="primary" disabled=${disabled} onClick=${start}>${t("run")}</button>`}
    ${children}
    ${plan && html`<small>${t("plan", { seconds: number(plan.expected_seconds, 1), tokens: number(plan.expected_lm_tokens, 0) })}</small>`}
  </div>`;
}
