// Dotted paths into a request's body.
export const get = (body, path) => path.split(".").reduce((inner, name) => inner?.[name], body);

// A list as a field's value: none if it is empty.
export const listed = (words) => (words.length ? words : undefined);
// A list with an entry or without it.
export const switched = (list, entry, on) => [...list.filter((each) => each !== entry), ...(on ? [entry] : [])];

// The body with a value at a path; undefined takes it out, and objects that are empty then.
export function set(body, path, value) {
  const [name, ...rest] = path.split(".");
  const inner = rest.length ? set(body?.[name] ?? {}, rest.join("."), value) : value;
  const next = { ...body };
  if (inner === undefined || (rest.length && !Object.keys(inner).length)) delete next[name];
  else next[name] = inner;
  return next;
}
