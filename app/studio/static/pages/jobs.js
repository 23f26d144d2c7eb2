import { html } from "../lib/html.js";

export const Jobs = () => html`<p></p>`;
