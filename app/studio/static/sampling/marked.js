// A text with its keywords boxed and its last edit marked.
import { html } from "../lib/html.js";
import { t } from "../lib/words.js";

const WORD = /[\p{L}\p{N}]/u;
const HAN = /\p{Script=Han}/u;

// Places of words in a text as [start, end]: whole words where they are spaced.
export function placesOf(words, text) {
  const lower = text.toLowerCase();
  const found = [];
  for (const word of words) {
    const sought = word.toLowerCase();
    for (let at = lower.indexOf(sought); sought && at >= 0; at = lower.indexOf(sought, at + 1)) {
      const [before, after] = [text[at - 1] ?? "", text[at + sought.length] ?? ""];
      const inside = (edge, beside) => WORD.test(edge) && WORD.test(beside) && !HAN.test(edge) && !HAN.test(beside);
      if (!inside(sought[0], before) && !inside(sought.at(-1), after)) found.push([at, at + sought.length]);
    }
  }
  return found;
}

// Where an edit stands in a text, in characters, its token runs trimmed to what differs.
function span(tokens, { place, old, now }) {
  let [from, to] = [0, 0];
  while (from < old.length && from < now.length && old[from] === now[from]) from += 1;
  while (to < old.length - from && to < now.length - from && old.at(-1 - to) === now.at(-1 - to)) to += 1;
  const start = tokens.slice(0, place + from).join("").length;
  const was = old.slice(from, old.length - to).join("");
  const is = now.slice(from, now.length - to).join("");
  return { start, end: start + is.length, was, is };
}

// words: of which each occurrence is boxed; edit: of a replay, which led to these tokens, or null.
export function Marked({ tokens, words = [], edit = null }) {
  const text = tokens.join("");
  const boxes = placesOf(words, text);
  const mark = edit && span(tokens, edit);
  const cuts = new Set([0, text.length, ...boxes.flat(), ...(mark ? [mark.start, mark.end] : [])]);
  const places = [...cuts].sort((a, b) => a - b);
  const pieces = [];
  const gone = () => html`<del title=${t("edit.deleted")}>${mark.was}</del>`;
  places.forEach((start, number) => {
    if (mark && mark.was && start === mark.start) pieces.push(gone());
    const end = places[number + 1];
    if (end === undefined) return;
    const piece = text.slice(start, end);
    const boxed = boxes.some(([from, to]) => from <= start && end <= to);
    const edited = mark && mark.start <= start && end <= mark.end;
    const inner = edited ? html`<ins title=${t(mark.was ? "edit.replaced" : "edit.inserted")}>${piece}</ins>` : piece;
    pieces.push(boxed ? html`<b class="keyword">${inner}</b>` : inner);
  });
  return html`<span class="marked">${pieces}</span>`;
}
