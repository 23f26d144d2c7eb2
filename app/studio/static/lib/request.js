// A page's request: as its link or an example has it, kept in the address, and the work that it starts.
import { useEffect, useMemo, useState } from "./html.js";
import { set } from "./paths.js";
import { keep } from "./place.js";
import { language } from "./words.js";

const drawnSeed = () => crypto.getRandomValues(new Uint32Array(1))[0];

// make: makes the Work, which stops when the page is left. run: sends a request with a seed, drawn if it has none, which the address
// has until the request is changed; sent: the last one.
export function useRequest(page, initial, examples, make) {
  const [own, setBody] = useState(initial);
  const [sent, setSent] = useState(null);
  const body = own ?? examples[language.value];
  const work = useMemo(make, []);
  useEffect(() => keep(page, body), [body]);
  useEffect(() => () => work.stop(), []);
  const run = (request) => {
    const seeded = { ...request, seed: request.seed ?? drawnSeed() };
    setSent(seeded);
    keep(page, seeded);
    work.start(seeded);
  };
  return { body, setBody, work, put: (path) => (value) => setBody(set(body, path, value)), run, sent };
}
