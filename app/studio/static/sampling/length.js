// Bounds of a length and what it is counted in.
import { Choice, NumberField } from "../ui/fields.js";
import { html } from "../lib/html.js";
import { t } from "../lib/words.js";

// put: of a name of the length's fields what to call with its value; plan: of a dry run, for what holds if they are left out.
export function LengthFields({ length, put, plan }) {
  const bound = (end) => html`<${NumberField} label=${t(`length.${end}`)} min="1" step="1" value=${length?.[end]}
    placeholder=${plan?.length?.[end]} onInput=${put(end)} />`;
  return html`<div class="fields length">${bound("min")}${bound("max")}
    <${Choice} label=${t("length.unit")} value=${length?.unit ?? ""} onInput=${(unit) => put("unit")(unit || undefined)}
      options=${["", "characters", "words", "tokens"].map((each) => [each, t(`unit.${each || (plan?.length?.unit ?? "")}`)])} />
  </div>`;
}
