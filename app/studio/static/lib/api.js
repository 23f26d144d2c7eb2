// Calls of the service's API: answers, problems, streams, and whether the service is there.
import { createParser } from "eventsource-parser";
import { effect, signal } from "@preact/signals";

// The API key stays in this tab.
export const key = signal(sessionStorage.getItem("key") ?? "");
effect(() => sessionStorage.setItem("key", key.value));

// starting: not known yet; ready; loading, stopping or away.
export const service = signal({ state: "starting" });
// Whether an answer said that a key is needed, or that this one is wrong.
export const keyRefused = signal(false);

const POLL_SECONDS = { ready: 10, otherwise: 1 };

export class Problem extends Error {
  // status 0: the service was not reached, or left in mid-answer.
  constructor(status, body = {}, wait = null) {
    super(body.detail ?? body.title ?? "");
    this.status = status;
    this.errors = body.errors ?? [];
    this.wait = wait;
  }
  get away() {
    return this.status === 0;
  }
}

const headers = () => (key.value ? { "X-API-Key": key.value } : {});

async function send(method, path, body, options = {}) {
  const isText = typeof body === "string" || body instanceof Blob;
  const type = options.type ?? (body === undefined || isText ? null : "application/json");
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: { ...headers(), ...(type ? { "Content-Type": type } : {}), ...options.headers },
      body: body === undefined || isText ? body : JSON.stringify(body),
      signal: options.signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    lost();
    throw new Problem(0);
  }
  keyRefused.value = response.status === 401;
  if (response.ok) return response;
  const wait = Number(response.headers.get("Retry-After")) || null;
  throw new Problem(response.status, await response.json().catch(() => ({ detail: response.statusText })), wait);
}

// The JSON answer of a call; text with `options.text`; null for 204.
export async function call(method, path, body, options = {}) {
  const response = await send(method, path, body, options);
  if (options.text) return response.text();
  return response.status === 204 ? null : response.json();
}

const isDone = ({ event }) => event === "done";

// Events of a stream as {event, data}. Ends by a Problem if the service leaves before the last, by `options.last` "done".
export async function* stream(method, path, body, options = {}) {
  const response = await send(method, path, body, options);
  const events = [];
  const parser = createParser({ onEvent: (each) => events.push(each) });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let ended = false;
  try {
    while (true) {
      const { done, value } = await reader.read().catch((error) => {
        if (error.name === "AbortError") throw error;
        return { done: true };
      });
      if (done) break;
      parser.feed(value);
      for (const each of events.splice(0)) {
        const data = JSON.parse(each.data);
        if (each.event === "error") throw new Problem(data.status ?? 500, data);
        ended ||= (options.last ?? isDone)({ event: each.event, data });
        yield { event: each.event, data };
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
  if (!ended) {
    lost();
    throw new Problem(0);
  }
}

function lost() {
  service.value = { state: "away" };
  watch();
}

let timer = null;

// Ask /ready, now and from then on.
export async function watch() {
  clearTimeout(timer);
  const response = await fetch("ready").catch(() => null);
  if (response === null) service.value = { state: "away" };
  else if (response.ok) {
    const body = await response.json();
    if (service.value.state !== "ready" || service.value.fingerprint !== body.fingerprint)
      service.value = { state: "ready", ...body };
  } else {
    const codes = ((await response.json().catch(() => ({}))).errors ?? []).map((each) => each.code);
    service.value = { state: codes.includes("stopping") ? "stopping" : "loading" };
  }
  clearTimeout(timer);
  timer = setTimeout(watch, 1000 * (POLL_SECONDS[service.value.state] ?? POLL_SECONDS.otherwise));
}

// Resolves when the service is ready; rejects as fetch does if it is given up.
export function untilReady(givenUp) {
  return new Promise((resolve, reject) => {
    const stop = service.subscribe(({ state }) => state === "ready" && queueMicrotask(() => (stop(), resolve())));
    givenUp?.addEventListener("abort", () => (stop(), reject(new DOMException("given up", "AbortError"))));
  });
}
