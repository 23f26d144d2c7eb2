// The command line of a request.
const NAMES = {
  context: "--context", "context.kind": "--context-kind", "context.text": "--context", forbidden: "--forbid",
  counts: "--count", blanks: "--blank", edits: "--edit", names: "--name", kinds: "--kind",
  "length.min": "--min", "length.max": "--max", "sampler.kind": "--kind",
  "sampler.schedule.kind": "--schedule", "sampler.schedule.start": "--beta-start", "sampler.schedule.stop": "--beta-stop",
};

const quoted = (word) => (/^[\p{L}\p{N}_.,:/=+-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
const flag = (path) => NAMES[path] ?? `--${path.split(".").at(-1).replaceAll("_", "-")}`;

// A chip's text of a count, and of a keyword's forms.
export const countWritten = ({ phrase, at_least, at_most }) =>
  at_least !== undefined ? `${phrase}>=${at_least}` : at_most !== undefined ? `${phrase}<=${at_most}` : phrase;
export const formsWritten = (keyword) => (Array.isArray(keyword) ? keyword.join("|") : keyword);

function* given(path, value) {
  if (value === undefined || value === null) return;
  if (Array.isArray(value)) for (const each of value) yield* given(path, (WRITTEN[path] ?? String)(each));
  else if (typeof value === "object") for (const [name, inner] of Object.entries(value)) yield* given(`${path}.${name}`, inner);
  else if (typeof value === "boolean") yield value ? flag(path) : flag(path).replace("--", "--no-");
  else yield `${flag(path)} ${quoted(String(value))}`;
}

// A chip's text of a pair.
export const pairWritten = ({ old, new: now }) => `${old}=${now}`;

// How an entry of a list stands there, by its field.
const WRITTEN = { counts: countWritten, blanks: JSON.stringify, edits: pairWritten };

// The command of a task: what stands by itself, and the other fields as options.
export function command(task, words, rest) {
  const options = Object.entries(rest).flatMap(([name, value]) => [...given(name, value)]);
  return [`chainwright ${task}`, ...words.map(quoted), ...options].join(" ");
}

export const sentencesCommand = ({ keywords, ...rest }) => command("sentences", keywords.map(formsWritten), rest);
