// Blanks in a text: what stands around them, and what is asked of each while the text is written.
const BLANK = /[_＿]{3,}/g;

export const around = (text) => text.split(BLANK);
export const countBlanks = (text) => around(text).length - 1;

// What is asked of each blank of a text that was another: blanks before and after what changed keep theirs.
export function carried(asked, before, now) {
  let same = 0;
  while (same < before.length && before[same] === now[same]) same += 1;
  let end = 0;
  while (end < Math.min(before.length, now.length) - same && before.at(-1 - end) === now.at(-1 - end)) end += 1;
  const count = countBlanks(now);
  const head = Math.min(countBlanks(now.slice(0, same)), count, asked.length);
  const tail = Math.min(countBlanks(now.slice(now.length - end)), asked.length - head, count - head);
  const fresh = Array.from({ length: count - head - tail }, () => ({}));
  return [...asked.slice(0, head), ...fresh, ...asked.slice(asked.length - tail)];
}

// A text with a blank in the place of what is chosen, a space beside it where words are spaced; and where its end is.
export function inserted(text, start, end) {
  const spaced = (beside) => (/[^\P{L}\p{Script=Han}]|\p{N}/u.test(beside ?? "") ? " " : "");
  const head = `${text.slice(0, start)}${spaced(text[start - 1])}___`;
  return { text: `${head}${spaced(text[end])}${text.slice(end)}`, at: head.length };
}
