// What the service would do with a request, asked for while it is written: bounds, defaults, cost, or what is wrong.
import { call } from "../lib/api.js";
import { useEffect, useRef, useState } from "../lib/html.js";

const PAUSE_MILLISECONDS = 400;

// The plan of the first text, and what all of them cost.
function whole(plans) {
  const sum = (name) => plans.reduce((total, each) => total + each[name], 0);
  return { ...plans[0], expected_seconds: sum("expected_seconds"), expected_lm_tokens: sum("expected_lm_tokens") };
}

// {plan, problem} of a request; null plan while there is nothing to ask for.
export function usePlan(path, body, asked) {
  const [known, setKnown] = useState({ plan: null, problem: null });
  const leaving = useRef(null);
  const json = JSON.stringify(body);
  useEffect(() => {
    if (!asked) return setKnown({ plan: null, problem: null });
    const timer = setTimeout(() => {
      leaving.current = new AbortController();
      call("POST", path, { ...body, dry_run: true }, { signal: leaving.current.signal }).then(
        (answer) => setKnown({ plan: whole(answer.plans ?? [answer]), problem: null }),
        (problem) => problem.status === 422 && setKnown((before) => ({ ...before, problem })),
      );
    }, PAUSE_MILLISECONDS);
    return () => {
      clearTimeout(timer);
      leaving.current?.abort();
    };
  }, [json, asked]);
  return known;
}
