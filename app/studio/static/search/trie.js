// The trie of an index, walked token by token: where the reader is, and the branches from there.
import { call } from "../lib/api.js";
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { number, t } from "../lib/words.js";
import { Panel, ProblemBox } from "../ui/parts.js";
import { pathOf } from "./indexes.js";

const PAGE = 40;
const VALUES = 20;

// A token with its white space made visible.
export const Token = ({ text }) => html`<code class="token">${text.replaceAll(" ", "␣").replaceAll("\n", "⏎")}</code>`;

// The first of a key's values, and how many more there are.
export const some = (values) =>
  values.slice(0, VALUES).join(" · ") + (values.length > VALUES ? ` … ${t("search.values.more", { left: number(values.length - VALUES) })}` : "");

// walk: {tokens} that another part wants to be shown; stamp: changes when the index does.
export function Trie({ index, stamp, walk }) {
  const [node, setNode] = useState(null);
  const [problem, setProblem] = useState(null);
  const here = useRef(null);
  const ids = node?.tokens.map((each) => each.id) ?? [];
  const ask = (tokens, offset = 0) => call("GET", `${pathOf(index)}/trie?tokens=${tokens}&limit=${PAGE}&offset=${offset}`);
  const tried = (work) => work.then(() => setProblem(null), setProblem);
  // A prefix, or the beginning if there is none such any more.
  const show = async (tokens) => setNode(await ask(tokens).catch((error) => (error.status === 404 ? ask([]) : Promise.reject(error))));
  const go = (tokens) => tried(show(tokens).then(() => requestAnimationFrame(() => here.current?.focus())));
  // A branch, and on to where the next choice is.
  const follow = async (id) => {
    const tokens = [...ids, id];
    for (let next = await ask(tokens); next.total === 1 && !next.complete; next = await ask(tokens)) tokens.push(next.branches[0].id);
    await go(tokens);
  };
  const more = async () => {
    const rest = await ask(ids, node.branches.length);
    setNode({ ...node, branches: [...node.branches, ...rest.branches] });
  };
  useEffect(() => void tried(show(node ? ids : (walk?.tokens ?? []))), [stamp]);
  useEffect(() => void (walk && go(walk.tokens)), [walk]);
  const crumb = (text, tokens, last) => html`<li><button type="button" ref=${last ? here : null} aria-current=${last ? "location" : undefined}
    onClick=${() => go(tokens)}>${text}</button></li>`;
  return html`<${Panel} title=${t("trie")} data-trie=${node?.text}>
    <p class="hint">${t("trie.hint")}</p>
    ${problem && html`<${ProblemBox} problem=${problem} retry=${() => go(ids)} />`}
    ${node && html`<nav aria-label=${t("trie.path")}><ol class="path">${crumb(t("trie.root"), [], !ids.length)}
        ${node.tokens.map((each, place) => crumb(html`<${Token} text=${each.text} />`, ids.slice(0, place + 1), place === ids.length - 1))}</ol></nav>
      <p class="facts" aria-live="polite">${t("trie.facts", { keys: number(node.keys), branches: number(node.total) })}</p>
      ${node.complete && html`<p class="text" data-values>${t("trie.complete", { key: node.text })} <b>${some(node.values)}</b></p>`}
      <ul class="path">${node.branches.map((each) => html`<li key=${each.id}><button type="button" data-branch=${each.id}
        onClick=${() => tried(follow(each.id))}><${Token} text=${each.text} /> <small>${number(each.keys)}</small></button></li>`)}</ul>
      ${node.branches.length < node.total && html`<button type="button" onClick=${() => tried(more())}>
        ${t("search.more", { left: number(node.total - node.branches.length) })}</button>`}`}
  </${Panel}>`;
}
