// Items of a job out of a file or a pasted text: JSON as the API takes it, or a table with a header.
import { set } from "../lib/paths.js";

const [text, texts] = [(cell) => cell, (cell) => [cell]];
const list = (cell) => cell.split(/[\s,，、;；]+/).filter(Boolean);
const number = (cell) => (Number.isFinite(Number(cell)) ? Number(cell) : cell);
const [lengths, sampling] = [{ "length.min": number, "length.max": number }, { seed: number, samples: number, language: text }];
// Fields that a column of a table may fill, and how; the first of a task is the one that it cannot do without.
export const TASKS = {
  sentences: { keywords: list, forbidden: list, starts_with: text, ends_with: text, acrostic: text, pattern: text, ...lengths, ...sampling },
  infills: { text, forbidden: list, ...sampling },
  paraphrases: { texts, keep: list, strength: text, ...sampling },
  corrections: { texts, protect: list, names: list, language: text },
  score: { texts, context: text, language: text },
  search: { query: text, n: number },
};
// Headers that name a field in other words.
const NAMES = { custom_id: /^(id|no\.?|编号|序号)$/i, forbidden: /forbid|禁/i, keywords: /keyword|words?$|词/i, query: /quer|question|问/i,
  texts: /text|sentence|文|句/i, text: /text|sentence|文|句/i, seed: /种子/ };

// The text of a file, and the encoding that it turns out to have.
export async function decoded(file) {
  const bytes = await file.arrayBuffer();
  for (const encoding of ["utf-8", "gbk"])
    try {
      return { encoding, text: new TextDecoder(encoding, { fatal: true }).decode(bytes) };
    } catch {} // the next one, then
  return { text: "" };
}

// Rows of cells by RFC 4180; without a separator each line is a cell.
function rowsOf(lines, separator = "\n") {
  const cell = new RegExp(`(?:"([^"]*(?:""[^"]*)*)"|([^${separator}\r\n]*))(${separator}|\r?\n|\r|$)`, "gy");
  const rows = [[]];
  while (cell.lastIndex < lines.length) {
    const [, quoted, plain, end] = cell.exec(lines);
    rows.at(-1).push((quoted?.replaceAll('""', '"') ?? plain).trim());
    if (end !== separator || end === "\n") rows.push([]);
  }
  return rows.filter((row) => row.some(Boolean));
}

function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {} // undefined
}
const isBare = (item) => !!item && typeof item === "object" && !("url" in item || "body" in item);

// {lines} of JSON or {header, rows}, and their count; null of nothing. `bare`: the lines are bodies, without a route.
export function read(given) {
  const trimmed = given.trim();
  if (!trimmed) return null;
  if (/^[[{]/.test(trimmed)) {
    const whole = parsed(trimmed);
    const values = Array.isArray(whole) ? whole : (whole?.items ?? whole?.bodies?.map((body) => ({ url: whole.url, body })));
    const lines = values?.map((each) => JSON.stringify(each)) ?? trimmed.split("\n");
    return { lines, bare: isBare(parsed(lines[0])), count: lines.filter((each) => each.trim()).length };
  }
  const [head] = trimmed.split(/[\r\n]/, 1);
  const [header, ...rows] = rowsOf(trimmed, ["\t", ",", ";", "，"].find((each) => head.includes(each)));
  return { header, rows, count: rows.length };
}

// For each column the field of the task that its header names, or ""; the task's first field falls to some column.
export function guessed(header, task) {
  const fields = ["custom_id", ...Object.keys(TASKS[task])];
  const named = header.map((name) => fields.find((each) => each === name) ?? fields.find((each) => NAMES[each]?.test(name)) ?? "");
  const found = named.map((field, column) => (named.indexOf(field) === column ? field : ""));
  if (!found.includes(fields[1]) && found.includes("")) found[found.indexOf("")] = fields[1];
  return found;
}

// Lines of items as they are sent: all, or the first `most`.
export function itemLines({ lines, rows, bare }, { task, index, columns, samples }, most) {
  const url = task === "search" ? `/v1/indexes/${encodeURIComponent(index ?? "")}/search` : `/v1/${task}`;
  const extra = samples && "samples" in TASKS[task] ? { samples } : {};
  const wrapped = (line) => (isBare(parsed(line)) ? JSON.stringify({ url, body: { ...extra, ...parsed(line) } }) : line);
  if (lines) return bare ? lines.slice(0, most).map(wrapped) : lines.slice(0, most);
  return rows.slice(0, most).map((row) => {
    const cells = columns.map((field, column) => [field, row[column]]).filter(([field, cell]) => field && cell);
    const { custom_id, ...fields } = Object.fromEntries(cells);
    const body = Object.entries(fields).reduce((made, [field, cell]) => set(made, field, TASKS[task][field](cell)), extra);
    return JSON.stringify({ custom_id, url, body });
  });
}
