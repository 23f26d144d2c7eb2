// A line chart by uPlot, and the same figures as a table.
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { t } from "../lib/words.js";
import { theme } from "../lib/theme.js";
import { Table } from "./parts.js";

const HEIGHT = 200;
const ROWS = 200;

// Dashes tell lines apart beside colours.
const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Lines over x: `lines` as [{label, values}], values of the length of `x`, null for none. `at` marks an x.
export function Chart({ title, x, xLabel, lines, at }) {
  const box = useRef(null);
  const plot = useRef(null);
  const [asTable, setAsTable] = useState(false);
  const labels = lines.map((each) => each.label).join("\n");
  useEffect(() => {
    const node = box.current;
    if (asTable || !node) return undefined;
    const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const series = lines.map(({ label }, place) => ({
      label,
      stroke: colour(`--series-${place % 8}`),
      width: 1.5,
      dash: DASHES[Math.floor(place / 8) % DASHES.length],
      spanGaps: true,
      points: { show: false },
    }));
    const width = () => Math.max(200, node.clientWidth);
    plot.current = new window.uPlot(
      {
        width: width(),
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false } },
        axes: [{ ...axis, size: 30 }, { ...axis, size: 56 }],
        series: [{ label: xLabel }, ...series],
      },
      [x, ...lines.map((each) => each.values)],
      node,
    );
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: width(), height: HEIGHT }));
    resized.observe(node);
    return () => {
      resized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [asTable, labels, theme.value]);
  useEffect(() => plot.current?.setData([x, ...lines.map((each) => each.values)]), [x, lines]);
  const every = Math.ceil(x.length / ROWS);
  const rows = x.map((value, row) => [value, ...lines.map((each) => each.values[row])]).filter((_, row) => row % every === 0);
  return html`<figure class="chart">
    <figcaption>${title}${at !== undefined && ` · ${at}`}
      <button type="button" class="quiet" aria-pressed=${asTable} onClick=${() => setAsTable(!asTable)}>${t("chart.table")}</button>
    </figcaption>
    ${asTable
      ? html`<${Table} caption=${title} columns=${[xLabel, ...lines.map((each) => each.label)]} rows=${rows} />`
      : html`<div ref=${box} class="plot" role="img" aria-label=${title}></div>`}
  </figure>`;
}
