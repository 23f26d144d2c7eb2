// A request whose answer is streamed: how it goes, and that it is run anew when a service that left is back.
import { stream, untilReady } from "./api.js";
import { batch, signal } from "./html.js";

export class Work {
  constructor(path) {
    this.path = path;
    this.status = signal("idle"); // idle, running, away, done, stopped, failed
    this.paused = signal(false);
    this.answer = signal(null);
    this.problem = signal(null);
    this.seconds = signal(null);
  }

  // What a kind of work says besides: its request, what is forgotten before it, what its events tell.
  asked(body) {
    return body;
  }
  clear() {}
  take() {}

  get going() {
    return ["running", "away"].includes(this.status.value);
  }

  // Run a request; if the service leaves on the way, run it anew, which with a seed gives the same, when it is back.
  async start(body) {
    this.stop();
    const giveUp = (this.giveUp = new AbortController());
    while (true) {
      this.#reset(body);
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

  // Hold the view; the work goes on, and what it did is shown on the next call.
  pause() {
    this.paused.value = !this.paused.value;
    if (!this.paused.value) this.#show();
  }

  #reset(body) {
    this.held = [];
    batch(() => {
      this.status.value = "running";
      this.paused.value = false;
      this.answer.value = null;
      this.problem.value = null;
      this.seconds.value = null;
      this.clear(body);
    });
  }

  async #follow(body, givenUp) {
    const began = performance.now();
    for await (const { event, data } of stream("POST", this.path, { ...this.asked(body), stream: true }, { signal: givenUp })) {
      this.held.push({ event, data, seconds: (performance.now() - began) / 1000 });
      if (!this.paused.value || event === "done") this.#show();
    }
  }

  #show() {
    batch(() => {
      for (const { event, data, seconds } of this.held.splice(0)) {
        this.seconds.value = seconds;
        if (event === "done") this.answer.value = data;
        this.take(event, data);
      }
    });
  }
}
