import { html } from "../lib/html.js";

export const Paraphrase = () => html`<p></p>`;
