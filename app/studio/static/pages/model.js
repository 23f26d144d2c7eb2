import { html } from "../lib/html.js";

export const Model = () => html`<p></p>`;
