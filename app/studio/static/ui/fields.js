// Fields of forms, each with its label, hint and fault.
import { html, useId, useRef, useState } from "../lib/html.js";
import { t } from "../lib/words.js";

// Enter never fires while an input method composes.
export const composing = (event) => event.isComposing || event.keyCode === 229;

// A label around a field; `field` is a function of the attributes that tie it to label, hint and fault.
export function Field({ label, hint, fault, field, wide }) {
  const id = useId();
  const described = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ") || undefined;
  return html`<div class=${wide ? "field wide" : "field"}>
    <label for=${id}>${label}</label>
    ${field({ id, "aria-describedby": described, "aria-invalid": fault ? "true" : undefined })}
    ${hint && html`<small id="${id}-hint">${hint}</small>`}
    ${fault && html`<small id="${id}-fault" class="fault" role="alert">${fault}</small>`}
  </div>`;
}

// box: a ref to the element.
export function TextField({ value, onInput, onEnter, area, type = "text", rows = 3, box, ...rest }) {
  const enter = (event) => {
    if (event.key === "Enter" && !composing(event) && onEnter && (!area || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onEnter();
    }
  };
  const input = (event) => onInput(event.currentTarget.value);
  const field = (tied) =>
    area
      ? html`<textarea ...${tied} ref=${box} rows=${rows} value=${value ?? ""} onInput=${input} onKeyDown=${enter} />`
      : html`<input ...${tied} ref=${box} type=${type} value=${value ?? ""} onInput=${input} onKeyDown=${enter} autocomplete="off" />`;
  return html`<${Field} ...${rest} field=${field} />`;
}

export function NumberField({ value, onInput, min, max, step = "any", placeholder, ...rest }) {
  const input = (event) => {
    const text = event.currentTarget.value;
    onInput(text === "" ? undefined : Number(text));
  };
  const field = (tied) => html`<input ...${tied} type="number" inputmode="decimal" min=${min} max=${max} step=${step}
    value=${value ?? ""} placeholder=${placeholder ?? ""} onInput=${input} />`;
  return html`<${Field} ...${rest} field=${field} />`;
}

export function RangeField({ value, onInput, min = 0, max = 1, step = 0.05, ...rest }) {
  const field = (tied) => html`<input ...${tied} type="range" min=${min} max=${max} step=${step} value=${value}
    onInput=${(event) => onInput(Number(event.currentTarget.value))} />`;
  return html`<${Field} ...${rest} field=${field} />`;
}

export function Choice({ value, onInput, options, ...rest }) {
  const field = (tied) => html`<select ...${tied} value=${value} onChange=${(event) => onInput(event.currentTarget.value)}>
    ${options.map(([each, words]) => html`<option value=${each} selected=${each === value}>${words}</option>`)}
  </select>`;
  return html`<${Field} ...${rest} field=${field} />`;
}

export function Check({ label, value, onInput, hint }) {
  const id = useId();
  return html`<div class="check">
    <input type="checkbox" id=${id} checked=${value} onChange=${(event) => onInput(event.currentTarget.checked)}
      aria-describedby=${hint ? `${id}-hint` : undefined} />
    <label for=${id}>${label}</label>${hint && html`<small id="${id}-hint">${hint}</small>`}
  </div>`;
}

// A pasted list is split at spaces, commas, 、 and line ends; what is typed, at commas and 、 only.
const PASTED = /[\s,，、;；]+/;
const TYPED = /[,，、;；]+/;
const words = (text, marks) => text.split(marks).map((each) => each.trim()).filter(Boolean);

// A list of words as chips: Enter or a comma ends one, Alt+arrows or the mouse move one, Backspace takes the last back.
export function Chips({ value, onInput, placeholder, ...rest }) {
  const [text, setText] = useState("");
  const [edited, setEdited] = useState(null);
  const dragged = useRef(null);
  const box = useRef(null);
  const add = (more, marks) => {
    const found = words(more, marks);
    if (found.length) onInput([...value, ...found]);
    setText("");
  };
  const move = (from, to) => {
    if (from === null || to < 0 || to >= value.length || from === to) return;
    const next = value.filter((_, place) => place !== from);
    next.splice(to, 0, value[from]);
    onInput(next);
    requestAnimationFrame(() => box.current?.querySelectorAll(".chip > .name")[to]?.focus());
  };
  const remove = (place) => onInput(value.filter((_, each) => each !== place));
  const typed = (event) => {
    if (composing(event)) return;
    if (event.key === "Enter") {
      event.preventDefault();
      add(text, TYPED);
    } else if (event.key === "Backspace" && text === "" && value.length) {
      event.preventDefault();
      setText(value.at(-1));
      onInput(value.slice(0, -1));
    }
  };
  const input = (event) => {
    const now = event.currentTarget.value;
    if (!event.isComposing && /[,，、;；]$/.test(now)) add(now, TYPED);
    else setText(now);
  };
  const pasted = (event) => {
    const more = event.clipboardData.getData("text");
    if (!PASTED.test(more.trim())) return;
    event.preventDefault();
    add(`${text} ${more}`, PASTED);
  };
  const keys = (event, place) => {
    if (event.altKey && event.key === "ArrowLeft") event.preventDefault(), move(place, place - 1);
    if (event.altKey && event.key === "ArrowRight") event.preventDefault(), move(place, place + 1);
    if (event.key === "Delete" || event.key === "Backspace") event.preventDefault(), remove(place);
  };
  const done = (place, now) => {
    setEdited(null);
    const trimmed = now.trim();
    if (trimmed) onInput(value.map((each, at) => (at === place ? trimmed : each)));
    else remove(place);
  };
  const chip = (each, place) =>
    place === edited
      ? html`<li key=${place} class="chip"><input aria-label=${t("chip.edit", { word: each })} value=${each}
          ref=${(field) => field?.focus()} onBlur=${(event) => done(place, event.currentTarget.value)}
          onKeyDown=${(event) => event.key === "Enter" && !composing(event) && event.currentTarget.blur()} /></li>`
      : html`<li key=${place} class="chip" draggable="true" onDragStart=${() => (dragged.current = place)}
          onDragOver=${(event) => event.preventDefault()}
          onDrop=${(event) => (event.preventDefault(), move(dragged.current, place))}>
          <button type="button" class="name" title=${t("chip.help")} onClick=${() => setEdited(place)}
            onKeyDown=${(event) => keys(event, place)}>${each}</button>
          <button type="button" class="remove" aria-label=${t("chip.remove", { word: each })}
            onClick=${() => remove(place)}>×</button></li>`;
  const field = (tied) => html`<div class="chips" ref=${box}>
    <ul>${value.map(chip)}</ul>
    <input ...${tied} value=${text} placeholder=${placeholder ?? ""} onInput=${input} onKeyDown=${typed} onPaste=${pasted}
      onCompositionEnd=${input} onBlur=${() => add(text, TYPED)} autocomplete="off" autocapitalize="none" />
  </div>`;
  return html`<${Field} ...${rest} field=${field} />`;
}
