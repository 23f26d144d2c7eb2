// What a route answers, asked again and again while the page is in sight.
import { call, untilReady } from "./api.js";
import { useEffect, useState } from "./html.js";

// {data, problem, again} of a path, or of none yet; it is asked every so many seconds, with 0 once.
export function usePolled(path, seconds, text = false) {
  const [known, setKnown] = useState({});
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    const leaving = new AbortController();
    const { signal } = leaving;
    const ask = async () => {
      const news = await call("GET", path, undefined, { text, signal }).then((data) => ({ data, problem: null }), (problem) => ({ problem }));
      if (signal.aborted) return;
      setKnown((before) => ({ ...(before.path === path ? before : {}), path, ...news }));
      if (news.problem?.away) await untilReady(signal).catch(() => {});
      const wait = news.problem?.away ? 1 : Math.max(seconds, news.problem?.wait ?? 0);
      if (wait) setTimeout(() => signal.aborted || (document.hidden ? seen() : ask()), 1000 * wait);
    };
    const seen = () => document.addEventListener("visibilitychange", ask, { once: true, signal });
    if (path) ask();
    return () => leaving.abort();
  }, [path, seconds, asked]);
  return { data: null, problem: null, ...(known.path === path ? known : {}), again: () => setAsked((times) => times + 1) };
}
