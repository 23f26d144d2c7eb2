// A button that asks before it does what cannot be undone.
import { html, useRef } from "../lib/html.js";
import { t } from "../lib/words.js";

export function Sure({ label, name, question, onYes }) {
  const dialog = useRef(null);
  const close = () => dialog.current.close();
  return html`<button type="button" aria-label=${name} title=${name} onClick=${() => dialog.current.showModal()}>${label}</button>
    <dialog ref=${dialog} aria-label=${question}><p>${question}</p><div class="controls">
      <button type="button" onClick=${close}>${t("sure.no")}</button>
      <button type="button" class="primary" data-sure onClick=${() => (close(), onYes())}>${name ?? label}</button>
    </div></dialog>`;
}
