// A new index of a file or of pasted lines.
import { upload } from "../lib/api.js";
import { html, useState } from "../lib/html.js";
import { language, number, t, tOr } from "../lib/words.js";
import { Check, Choice, Field, TextField } from "../ui/fields.js";
import { Panel, ProblemBox, Progress, faultOf } from "../ui/parts.js";
import { pathOf } from "./indexes.js";

const EXAMPLES = {
  zh: { name: "cities", text: "上海,人口,2487万\n上海,别称,沪\n北京,人口,2189万\n北京,别称,京" },
  en: { name: "people", text: "Ada,office,room 214\nAda,manager,Grace\nGrace,office,room 301\nGrace,phone,5512" },
};
const FORMATS = ["auto", "triples", "pairs", "triples-jsonl", "pairs-jsonl", "csv"];

// names: of the indexes that there are; started: called with the name of an index whose lines are sent.
export function Build({ names, started }) {
  const [{ name, text, file, from, ...options }, setForm] = useState({ ...EXAMPLES[language.value], from: "text", format: "auto" });
  const [{ share, problem }, setSent] = useState({});
  const put = (field) => (value) => setForm((form) => ({ ...form, [field]: value }));
  const send = async () => {
    const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== "");
    setSent({ share: 0 });
    try {
      await upload(`${pathOf(name)}?${new URLSearchParams(given)}`, from === "file" ? file : text, (gone) => setSent({ share: gone }));
      setSent({});
      started(name);
    } catch (error) {
      setSent({ problem: error });
    }
  };
  const submit = (event) => (event.preventDefault(), send());
  const chosen = (tied) => html`<input ...${tied} type="file" onChange=${(event) => put("file")(event.currentTarget.files[0])} />`;
  const check = (field, otherwise) => html`<${Check} label=${t(`build.${field}`)} value=${options[field] ?? otherwise} onInput=${put(field)} />`;
  return html`<${Panel} title=${t("build")} data-build><form onSubmit=${submit}>
    <p class="hint">${t("build.hint")}</p>
    <div class="fields">
      <${TextField} label=${t("build.name")} value=${name} onInput=${put("name")} fault=${faultOf(problem, "name")}
        hint=${names.includes(name) ? t("build.replaces") : t("build.name.hint")} />
      <${Choice} label=${t("build.from")} value=${from} onInput=${put("from")} options=${["text", "file"].map((each) => [each, t(`build.from.${each}`)])} /></div>
    ${from === "file" ? html`<${Field} label=${t("build.file")} hint=${t("build.file.hint")} field=${chosen} />`
      : html`<${TextField} area rows="5" label=${t("build.text")} value=${text} onInput=${put("text")} />`}
    <${Choice} label=${t("build.format")} hint=${t("build.format.hint")} value=${options.format} fault=${faultOf(problem, "format")}
      onInput=${put("format")} options=${FORMATS.map((each) => [each, tOr(`build.format.${each}`, each)])} />
    <details><summary>${t("build.more")}</summary>
      ${check("strict", false)}${check("both_ends", false)}${check("typos", true)}
      <${TextField} label=${t("build.encoding")} hint=${t("build.encoding.hint")} value=${options.encoding} onInput=${put("encoding")}
        fault=${faultOf(problem, "encoding")} /></details>
    ${problem && html`<${ProblemBox} problem=${problem} retry=${send} />`}
    ${share !== undefined && html`<${Progress} share=${share} label=${t("build.sent", { percent: number(100 * share, 0) })} />`}
    <button type="submit" class="primary" disabled=${!name || share !== undefined || !(from === "file" ? file : text.trim())}>${t("build.start")}</button>
  </form></${Panel}>`;
}
