// A fact to be added: the parts of its key and its values.
import { html } from "../lib/html.js";
import { t } from "../lib/words.js";
import { TextField } from "../ui/fields.js";
import { Panel, faultOf } from "../ui/parts.js";

// draft and setDraft: the parts by name, and `values`, one a line; add: takes an entry; problem: of the last one.
export function Fact({ parts, draft, setDraft, add, problem, children }) {
  const values = (draft.values ?? "").split("\n").filter((each) => each.trim());
  const key = Object.fromEntries(parts.filter((each) => draft[each]).map((each) => [each, draft[each]]));
  const field = (name) => html`<${TextField} key=${name} label=${t(`part.${name}`)} value=${draft[name]} fault=${faultOf(problem, `add[0].${name}`)}
    hint=${name === "meaning" && t("part.meaning.hint")} onInput=${(text) => setDraft({ ...draft, [name]: text })} />`;
  return html`<${Panel} title=${t("fact")} data-fact><form onSubmit=${(event) => (event.preventDefault(), add({ ...key, values }))}>
    <p class="hint">${t("fact.hint")}</p>
    ${children}
    <div class="fields">${parts.map(field)}
      <${TextField} wide area rows="2" label=${t("values.lines")} value=${draft.values} fault=${faultOf(problem, "add[0].values")}
        onInput=${(text) => setDraft({ ...draft, values: text })} /></div>
    <button type="submit" class="primary" disabled=${!values.length || !Object.keys(key).length}>${t("fact.add")}</button>
  </form></${Panel}>`;
}
