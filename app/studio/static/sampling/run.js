// A run of a task that samples: its stream, its chains as the trace tells them, and its answer.
import { computed, signal } from "../lib/html.js";
import { Work } from "../lib/work.js";
import { Replay } from "./replay.js";

const DRAWS = ["rejection", "importance", "smc"];

const traced = (body) => (DRAWS.includes(body.sampler?.kind) ? body : { ...body, trace: "edits" });

export class Run extends Work {
  // path: of the task's route; item: the event that brings a text better than all before it.
  constructor(path, item) {
    super(path);
    this.item = item;
    this.best = signal([]);
    this.progress = signal({ step: 0, steps: 0 });
    this.replay = signal(null);
    this.version = signal(0); // counts what the replay took in, for views that read it
  }

  asked(body) {
    return traced(body);
  }

  clear() {
    this.best.value = [];
    this.progress.value = { step: 0, steps: 0 };
    this.replay.value = null;
  }

  take(event, data) {
    if (event === this.item) this.best.value = [data, ...this.best.value];
    else if (event === "step") this.progress.value = data;
    else if (event === "trace") {
      this.replay.value ??= new Replay();
      this.replay.value.add(data);
      this.version.value += 1;
    }
  }
}

// A run of many texts side by side: each is a run among its `texts`, that hears its own events.
export class Runs extends Work {
  constructor(path, item) {
    super(path);
    this.item = item;
    this.texts = signal([]);
  }

  asked(body) {
    return traced(body);
  }

  clear(body) {
    this.texts.value = body.texts.map(() => {
      const run = new Run(this.path, this.item);
      run.status = computed(() => (run.answer.value ? "done" : this.status.value));
      return run;
    });
  }

  take(event, { number, data }) {
    const run = this.texts.value[number];
    if (!run) return;
    run.seconds.value = this.seconds.value;
    if (event === "text") run.answer.value = data;
    else run.take(event, data);
  }
}
