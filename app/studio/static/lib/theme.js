// Light or dark: as the system has it, or as the reader chose.
import { effect, signal } from "@preact/signals";

const system = matchMedia("(prefers-color-scheme: dark)");
const chosen = signal(localStorage.getItem("theme"));
const systemIsDark = signal(system.matches);
system.addEventListener("change", () => (systemIsDark.value = system.matches));

export const theme = signal("light");
effect(() => {
  theme.value = chosen.value ?? (systemIsDark.value ? "dark" : "light");
  document.documentElement.dataset.theme = theme.value;
});

export function toggleTheme() {
  chosen.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem("theme", chosen.value);
}
