import { html } from "../lib/html.js";

export const Fill = () => html`<p></p>`;
