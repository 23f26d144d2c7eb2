// A page's request: as its link or an example has it, kept in the address, and the work that it starts.
import { useEffect, useMemo, useState } from "./html.js";
import { set } from "./paths.js";
import { keep } from "./place.js";
import { language } from "./words.js";

// make: makes the Work, which stops when the page is left.
export function useRequest(page, initial, examples, make) {
  const [body, setBody] = useState(initial ?? examples[language.value]);
  const work = useMemo(make, []);
  useEffect(() => keep(page, body), [body]);
  useEffect(() => () => work.stop(), []);
  return { body, setBody, work, put: (path) => (value) => setBody(set(body, path, value)) };
}
