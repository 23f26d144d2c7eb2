// Words of the page in the language that its reader chose.
import { effect, signal } from "@preact/signals";
import en from "../words/en.js";
import zh from "../words/zh.js";

const dictionaries = { en, zh };
const stored = localStorage.getItem("language");

export const language = signal(stored in dictionaries ? stored : navigator.language.startsWith("zh") ? "zh" : "en");

effect(() => {
  document.documentElement.lang = language.value;
  localStorage.setItem("language", language.value);
});

// The words of a key, `{name}` replaced by values; a key that there is not is shown as it is.
export function t(key, values = {}) {
  const words = dictionaries[language.value][key] ?? key;
  return words.replace(/{(\w+)}/g, (whole, name) => values[name] ?? whole);
}

// The words of a key that may be missing, else other words.
export const tOr = (key, otherwise) => dictionaries[language.value][key] ?? otherwise;

// A number for people; null and undefined are a dash.
export function number(value, digits = 2) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return value.toLocaleString(language.value, { maximumFractionDigits: digits, signDisplay: "negative" });
}
