// Jobs as they are submitted; their items, which the service does not give back; and their lines as files.
import { call } from "../lib/api.js";

const kept = new Map(); // by job, in this page; over a reload in this tab, if they fit
export const itemsOf = (id) => kept.get(id) ?? sessionStorage.getItem(id)?.split("\n");

// The id of the job made of lines; the same key and lines again give the same job.
export async function submit(lines, options, key) {
  const sent = { type: "application/jsonl", headers: { "Idempotency-Key": key } };
  const { id } = await call("POST", `v1/jobs?${new URLSearchParams(options)}`, lines.join("\n"), sent);
  kept.set(id, lines.filter((each) => each.trim()));
  try {
    sessionStorage.setItem(id, kept.get(id).join("\n"));
  } catch {} // too many: they go with the page
  return id;
}

export const jsonLines = (text) => text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
// All lines of a kind; a plain link could not send the key.
const every = (id, kind) => call("GET", `v1/jobs/${id}/${kind}?download=true`, undefined, { text: true });

// The items of a job that have an error, as they were submitted.
export async function failedItems(id) {
  const failed = new Set(jsonLines(await every(id, "errors")).map((each) => Number(each.id.split("-").at(-1))));
  return itemsOf(id).filter((_, number) => failed.has(number));
}

export async function save(id, kind) {
  const href = URL.createObjectURL(new Blob([await every(id, kind)], { type: "application/jsonl" }));
  Object.assign(document.createElement("a"), { href, download: `${id}-${kind}.jsonl` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000);
}
