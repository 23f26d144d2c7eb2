import { html } from "../lib/html.js";

export const Score = () => html`<p></p>`;
