// The command line of a request.
const NAMES = {
  context: "--context", "context.kind": "--context-kind", "context.text": "--context", forbidden: "--forbid",
  counts: "--count", "length.min": "--min", "length.max": "--max", "sampler.kind": "--kind",
  "sampler.schedule.kind": "--schedule", "sampler.schedule.start": "--beta-start", "sampler.schedule.stop": "--beta-stop", n: "-n",
};

const quoted = (word) => (/^[\p{L}\p{N}_.,:/=+-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
const flag = (path) => NAMES[path] ?? `--${path.split(".").at(-1).replaceAll("_", "-")}`;

// A chip's text of a count, and of a keyword's forms.
export const countWritten = ({ phrase, at_least, at_most }) =>
  at_least !== undefined ? `${phrase}>=${at_least}` : at_most !== undefined ? `${phrase}<=${at_most}` : phrase;
export const formsWritten = (keyword) => (Array.isArray(keyword) ? keyword.join("|") : keyword);

function* given(path, value) {
  if (value === undefined || value === null) return;
  if (Array.isArray(value)) for (const each of value) yield* given(path, path === "counts" ? countWritten(each) : each);
  else if (typeof value === "object") for (const [name, inner] of Object.entries(value)) yield* given(`${path}.${name}`, inner);
  else if (typeof value === "boolean") yield value ? flag(path) : flag(path).replace("--", "--no-");
  else yield `${flag(path)} ${quoted(String(value))}`;
}

// A task's command: what it is asked with, and the options of its request.
export function taskCommand(name, asked, rest) {
  const options = Object.entries(rest).flatMap(([path, value]) => [...given(path, value)]);
  return [`chainwright ${name}`, ...asked.map(quoted), ...options].join(" ");
}

export const sentencesCommand = ({ keywords, ...rest }) => taskCommand("sentences", keywords.map(formsWritten), rest);
