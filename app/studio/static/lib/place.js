// The page that is shown and its request, both in the URL's fragment: #page?{json}.
import { signal } from "@preact/signals";

function read() {
  const [page, json] = location.hash.slice(1).split(/\?(.*)/s);
  let state = null;
  try {
    state = json ? JSON.parse(decodeURIComponent(json)) : null;
  } catch {
    // A link that was cut off shows the page as new.
  }
  return { page: decodeURIComponent(page), state, hash: location.hash };
}

export const place = signal(read());
addEventListener("hashchange", () => (place.value = read()));

export const link = (page, state) => `#${page}${state ? `?${encodeURIComponent(JSON.stringify(state))}` : ""}`;

// Keep a page's request in the address without a step of the browser's history.
export function keep(page, state) {
  history.replaceState(null, "", link(page, state));
}
