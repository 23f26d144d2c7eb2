// A run of a task that samples: its stream, its chains as the trace tells them, and its answer.
import { stream, untilReady } from "../lib/api.js";
import { batch, signal } from "../lib/html.js";
import { Replay } from "./replay.js";

const DRAWS = ["rejection", "importance", "smc"];

export class Run {
  // path: of the task's route; item: the event that brings a text better than all before it.
  constructor(path, item) {
    this.path = path;
    this.item = item;
    this.status = signal("idle"); // idle, running, away, done, stopped, failed
    this.paused = signal(false);
    this.best = signal([]);
    this.progress = signal({ step: 0, steps: 0 });
    this.replay = signal(null);
    this.answer = signal(null);
    this.problem = signal(null);
    this.version = signal(0); // counts what the replay took in, for views that read it
    this.seconds = signal(null);
  }

  get going() {
    return ["running", "away"].includes(this.status.value);
  }

  // Run a request; if the service leaves on the way, run it anew, which with a seed gives the same, when it is back.
  async start(body) {
    this.stop();
    const giveUp = (this.giveUp = new AbortController());
    while (true) {
      this.#reset();
      try {
        await this.#follow(body, giveUp.signal);
        this.status.value = "done";
        return;
      } catch (problem) {
        if (giveUp.signal.aborted) return;
        if (!problem.away) {
          batch(() => ((this.problem.value = problem), (this.status.value = "failed")));
          if (problem.status === undefined) throw problem;
          return;
        }
        this.status.value = "away";
        this.problem.value = problem;
        await untilReady(giveUp.signal).catch(() => {});
        if (giveUp.signal.aborted) return;
      }
    }
  }

  stop() {
    this.giveUp?.abort();
    if (this.going) this.status.value = "stopped";
  }

  // Hold the view; the chains go on, and what they did is shown on the next call.
  pause() {
    this.paused.value = !this.paused.value;
    if (!this.paused.value) this.#show();
  }

  #reset() {
    this.held = [];
    batch(() => {
      this.status.value = "running";
      this.paused.value = false;
      this.best.value = [];
      this.progress.value = { step: 0, steps: 0 };
      this.replay.value = null;
      this.answer.value = null;
      this.problem.value = null;
      this.seconds.value = null;
    });
  }

  async #follow(body, givenUp) {
    const traced = DRAWS.includes(body.sampler?.kind) ? {} : { trace: "edits" };
    const began = performance.now();
    for await (const { event, data } of stream("POST", this.path, { ...body, ...traced, stream: true }, { signal: givenUp })) {
      this.held.push({ event, data, seconds: (performance.now() - began) / 1000 });
      if (!this.paused.value || event === "done") this.#show();
    }
  }

  #show() {
    batch(() => {
      for (const { event, data, seconds } of this.held.splice(0)) {
        this.seconds.value = seconds;
        if (event === this.item) this.best.value = [data, ...this.best.value];
        else if (event === "step") this.progress.value = data;
        else if (event === "trace") this.#trace(data);
        else if (event === "done") this.answer.value = data;
      }
    });
  }

  #trace(part) {
    this.replay.value ??= new Replay();
    this.replay.value.add(part);
    this.version.value += 1;
  }
}
