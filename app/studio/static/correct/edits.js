// Corrections as they come, and which of their edits the reader takes. Places are characters, not halves of surrogate pairs.
import { signal } from "../lib/html.js";
import { Work } from "../lib/work.js";

export const CONFIDENCE = 0.65;
const SINGLE = new Set(["missing", "redundant", "reordered", "function_word", "punctuation"]);
const leastOf = (kind) => (SINGLE.has(kind) ? 0.27 : CONFIDENCE); // the service's defaults

export class Corrections extends Work {
  constructor(path) {
    super(path);
    this.found = signal({}); // by number of the text
    this.decided = signal({}); // by number of the text: by place of the edit, whether it is taken
  }

  // Every edit is asked for, so that the reader's confidence is a matter of this page.
  asked(body) {
    return { ...body, confidence: 0 };
  }

  clear({ texts }) {
    this.total = texts.length;
    this.found.value = {};
    this.decided.value = {};
  }

  take(event, data) {
    if (event === "correction") this.found.value = { ...this.found.value, [data.number]: data.correction };
  }

  // Take or refuse edits of a text.
  decide(number, places, yes) {
    const of_text = { ...this.decided.value[number], ...Object.fromEntries(places.map((place) => [place, yes])) };
    this.decided.value = { ...this.decided.value, [number]: of_text };
  }

  // Whether each edit of a text is taken: as decided, else if the service is as sure as was asked for, or as its kind has to be.
  taken(number, confidence) {
    const decided = this.decided.value[number] ?? {};
    return this.found.value[number].edits.map((edit, place) => decided[place] ?? edit.confidence >= (confidence ?? leastOf(edit.kind)));
  }
}

// A text cut at its edits: what stands before each, then the rest.
export function between({ source, edits }) {
  const characters = Array.from(source);
  const ends = [0, ...edits.map((each) => each.end)];
  return ends.map((end, place) => characters.slice(end, edits[place]?.start).join(""));
}

// A text with the edits that are taken.
export function applied(correction, taken) {
  const written = correction.edits.map((each, place) => (taken[place] ? each.new : each.old));
  return between(correction).map((piece, place) => piece + (written[place] ?? "")).join("");
}
