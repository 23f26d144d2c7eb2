// A new index of a file or of pasted lines.
import { call } from "../lib/api.js";
import { html, useState } from "../lib/html.js";
import { language, t, tOr } from "../lib/words.js";
import { Check, Choice, Field, TextField } from "../ui/fields.js";
import { Panel, ProblemBox, Progress, faultOf } from "../ui/parts.js";
import { pathOf } from "./indexes.js";

const EXAMPLES = {
  zh: { name: "cities", text: "上海,人口,2487万\n上海,别称,沪\n北京,人口,2189万\n北京,别称,京" },
  en: { name: "people", text: "Ada,office,room 214\nAda,manager,Grace\nGrace,office,room 301\nGrace,phone,5512" },
};
const FORMATS = ["auto", "triples", "pairs", "triples-jsonl", "pairs-jsonl", "csv", "ntriples", "neo4j"];

// names: of the indexes that there are; started: called with the name of an index whose lines are sent.
export function Build({ names, started }) {
  const [{ name, text, file, ...options }, setForm] = useState({ ...EXAMPLES[language.value], format: "auto" });
  const [{ going, problem }, setSent] = useState({ going: false });
  const put = (field) => (value) => setForm((form) => ({ ...form, [field]: value }));
  const fault = (field) => faultOf(problem, field);
  const send = async () => {
    const given = Object.entries(options).filter(([, value]) => value !== "");
    setSent({ going: true });
    const failed = await call("PUT", `${pathOf(name)}?${new URLSearchParams(given)}`, file ?? text).then(() => null, (error) => error);
    setSent({ going: false, problem: failed });
    if (!failed) started(name);
  };
  const chosen = (tied) => html`<input ...${tied} type="file" onChange=${(event) => put("file")(event.currentTarget.files[0])} />`;
  const check = (field, otherwise) => html`<${Check} label=${t(`build.${field}`)} value=${options[field] ?? otherwise} onInput=${put(field)} />`;
  return html`<${Panel} title=${t("build")} data-build><form onSubmit=${(event) => (event.preventDefault(), send())}>
    <p class="hint">${t("build.hint")}</p>
    <${TextField} label=${t("build.name")} value=${name} onInput=${put("name")} fault=${fault("name")}
      hint=${t(names.includes(name) ? "build.replaces" : "build.name.hint")} />
    <${TextField} area rows="5" label=${t("build.text")} value=${text} onInput=${put("text")} />
    <${Field} label=${t("build.file")} hint=${t("build.file.hint")} field=${chosen} />
    <${Choice} label=${t("build.format")} hint=${t("build.format.hint")} value=${options.format} fault=${fault("format")}
      onInput=${put("format")} options=${FORMATS.map((each) => [each, tOr(`build.format.${each}`, each)])} />
    <details><summary>${t("build.more")}</summary>${check("strict", false)}${check("both_ends", false)}${check("typos", true)}
      <${TextField} label=${t("build.encoding")} hint=${t("build.encoding.hint")} value=${options.encoding ?? ""}
        onInput=${put("encoding")} fault=${fault("encoding")} /></details>
    ${problem && html`<${ProblemBox} problem=${problem} retry=${send} />`}
    ${going && html`<${Progress} label=${t("build.sent")} />`}
    <button type="submit" class="primary" disabled=${going || !name || !(file ?? text.trim())}>${t("build.start")}</button>
  </form></${Panel}>`;
}
