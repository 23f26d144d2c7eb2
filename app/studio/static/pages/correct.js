import { html } from "../lib/html.js";

export const Correct = () => html`<p></p>`;
