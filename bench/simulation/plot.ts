import { type Summary } from "./summary";
import { midnight, type Sample } from "./world";

/**
 * Draws the queues over time as an SVG, one panel for each scenario. The scale is logarithmic, so that few alerts are
 * seen.
 */

const panel = { left: 64, top: 72, width: 800, height: 180, gap: 76 };
const highest = 100_000;
const hourMs = 3_600_000;

interface Series {
  readonly name: string;
  readonly color: string;
  readonly of: (sample: Sample) => number;
}

const series: readonly Series[] = [
  { name: "Lambda's asynchronous queues", color: "#1f6fb2", of: ({ asynchronous }) => asynchronous },
  { name: "retry queues", color: "#c2571a", of: ({ retrying }) => retrying },
  { name: "alerts not yet mailed", color: "#7a2fa0", of: ({ alerts }) => alerts },
  { name: "dead letters", color: "#8c1d18", of: ({ parked }) => parked },
];

export function plot(summaries: readonly Summary[]): string {
  const height = panel.top + summaries.length * (panel.height + panel.gap);
  const width = panel.left + panel.width + 24;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img">`,
    "<title>Events in the queues over time, by scenario</title>",
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...series.map(({ name, color }, index) => {
      const x = panel.left + index * 208;
      return `<path d="M${x} 20h20" stroke="${color}" stroke-width="2"/><text x="${x + 26}" y="24" fill="#222222">${name}</text>`;
    }),
    ...summaries.map((summary, index) => panelOf(summary, panel.top + index * (panel.height + panel.gap))),
    "</svg>",
    "",
  ].join("\n");
}

function panelOf({ scenario, samples }: Summary, top: number): string {
  // Samples from after the last event was settled are not drawn; only timers without effect are left then.
  const lastBusy = samples.findLastIndex(
    ({ asynchronous, retrying, alerts }) => asynchronous > 0 || retrying > 0 || alerts > 0,
  );
  const shown = samples.slice(0, lastBusy + 2);
  const hours = Math.max(1, Math.ceil(((shown.at(-1)?.at ?? midnight) - midnight) / hourMs));
  const x = (ms: number) => round(panel.left + (panel.width * ms) / (hours * hourMs));
  const y = (count: number) =>
    round(top + panel.height * (1 - Math.log10(1 + Math.min(count, highest)) / Math.log10(1 + highest)));
  const bottom = top + panel.height;
  const { outage } = scenario;
  return [
    `<text x="${panel.left}" y="${top - 12}" fill="#222222" font-weight="bold">${escape(scenario.title)}</text>`,
    ...(outage
      ? [
          `<rect x="${x(outage.from)}" y="${top}" width="${round(x(outage.to) - x(outage.from))}" height="${panel.height}" fill="#f3dcd6"/>`,
          `<text x="${x(outage.from) + 4}" y="${top + 14}" fill="#8c1d18">SES is down</text>`,
        ]
      : []),
    ...[0, 10, 100, 1000, 10_000, 100_000].map(
      (count) =>
        `<path d="M${panel.left} ${y(count)}h${panel.width}" stroke="#dddddd"/>` +
        `<text x="${panel.left - 8}" y="${y(count) + 4}" text-anchor="end" fill="#555555">${count.toLocaleString("en-US")}</text>`,
    ),
    ...Array.from(
      { length: hours + 1 },
      (_, hour) =>
        `<text x="${x(hour * hourMs)}" y="${bottom + 18}" text-anchor="middle" fill="#555555">${hour} h</text>`,
    ),
    ...series.map(({ color, of }) => {
      const points = shown.map((sample) => `${x(sample.at - midnight)},${y(of(sample))}`).join(" ");
      return `<polyline points="${points}" fill="none" stroke="${color}" stroke-width="1.5"/>`;
    }),
  ].join("\n");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replace(/[&<>]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[character] ?? character);
}
