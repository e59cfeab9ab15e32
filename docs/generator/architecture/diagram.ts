import { edgesInWords, type Graph, inWords, type Node } from "./graph";

/** Draws a graph as SVG. Graphviz measures the texts with its own metrics, so the bytes are the same on every machine. */

export const title = "What is deployed, and what goes from where to where";

export type Theme = "light" | "dark";

interface Colors {
  readonly background: string;
  readonly text: string;
  readonly muted: string;
  readonly flows: Readonly<Record<Graph["edges"][number]["flow"], string>>;
  readonly looks: Readonly<Record<Node["look"], { readonly fill: string; readonly border: string }>>;
}

export const themes: Readonly<Record<Theme, Colors>> = {
  light: {
    background: "#ffffff",
    text: "#1f2328",
    muted: "#59636e",
    flows: { event: "#0969da", failure: "#bc4c00", tell: "#6e7781" },
    looks: {
      outside: { fill: "#ffffff", border: "#8c959f" },
      bus: { fill: "#ddf4ff", border: "#54aeff" },
      function: { fill: "#fff1e5", border: "#fb8f44" },
      store: { fill: "#f6f8fa", border: "#afb8c1" },
      mail: { fill: "#dafbe1", border: "#4ac26b" },
      watch: { fill: "#fbefff", border: "#c297ff" },
    },
  },
  dark: {
    background: "#0d1117",
    text: "#e6edf3",
    muted: "#9da7b3",
    flows: { event: "#58a6ff", failure: "#f0883e", tell: "#8b949e" },
    looks: {
      outside: { fill: "#0d1117", border: "#6e7681" },
      bus: { fill: "#0c2d4f", border: "#388bfd" },
      function: { fill: "#3a220f", border: "#bd561d" },
      store: { fill: "#161b22", border: "#484f58" },
      mail: { fill: "#0f3320", border: "#2ea043" },
      watch: { fill: "#2d1f4a", border: "#8957e5" },
    },
  },
};

/** How each flow is drawn: by Graphviz, and in the legend. */
export const flows = {
  event: { style: "solid", dash: "", meaning: "to a mail" },
  failure: { style: "dashed", dash: "5,2", meaning: "what failed" },
  tell: { style: "dotted", dash: "1,5", meaning: "what is told of it" },
} as const;

const font = "Helvetica,Arial,sans-serif";

/**
 * The sizes of texts, in units of the picture: how they are shown, and how Graphviz measures them. A machine without
 * Helvetica shows the texts in another font, which may be wider by a fifth, and by two fifths where it is bold (DejaVu
 * Sans).
 */
const sizes = {
  name: { shown: 13, measured: 18 },
  rule: { shown: 12, measured: 15 },
  note: { shown: 11, measured: 14 },
} as const;

/** Most names of rules that a bus shows for one target. A large catalogue has many. */
const mostNames = 4;

export async function drawDiagram(graph: Graph, theme: Theme): Promise<string> {
  // An ES module, which a CommonJS file loads only so.
  const { Graphviz } = await import("@hpcc-js/wasm-graphviz");
  const colors = themes[theme];
  const dot = toDot(graph, colors);
  const graphviz = await Graphviz.load();
  return framed(centered(graphviz.dot(dot), graphviz.dot(dot, "json")), graph, colors);
}

/** A text that Graphviz has placed: its left end and its measured width. */
interface PlacedText {
  readonly op: "T";
  readonly pt: readonly [x: number, y: number];
  readonly width: number;
  readonly text: string;
}

/**
 * Puts each text into the middle of the room that was measured for it, in the size in which it is shown. The texts of
 * the picture are those of Graphviz's JSON, in another order.
 */
function centered(svg: string, json: string): string {
  const { objects, edges = [] } = JSON.parse(json) as Record<string, { _ldraw_?: { op: string }[] }[] | undefined>;
  const placed = [...(objects ?? []), ...edges]
    .flatMap(({ _ldraw_: operations = [] }) => operations)
    .filter((each): each is PlacedText => each.op === "T");
  const middles = new Map(placed.map(({ pt: [x], width, text }) => [`${x.toFixed(1)} ${text}`, x + width / 2]));
  const shown = new Map<number, number>(Object.values(sizes).map((size) => [size.measured, size.shown]));
  return svg
    .replace(/font-size="([\d.]+)"/g, (_, size: string) => `font-size="${shown.get(Number(size)) ?? size}"`)
    .replace(/<text [^>]*text-anchor="start" x="([-\d.]+)"[^>]*>([^<]*)/g, (text, x: string, content: string) => {
      const middle = middles.get(`${Number(x).toFixed(1)} ${plain(content)}`);
      if (middle === undefined) throw new Error(`Graphviz's answers differ in the place of "${content}".`);
      return text.replace(`text-anchor="start" x="${x}"`, `text-anchor="middle" x="${middle.toFixed(2)}"`);
    });
}

/** A text of the picture without its entities. */
const plain = (text: string) =>
  text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");

function toDot({ nodes, edges }: Graph, colors: Colors): string {
  const ids = new Map(nodes.map((node) => [node.id, `"${quoted(inWords(node))}"`]));
  const ports = new Map(
    nodes.flatMap(({ id, rules }) => rules.map(({ port }, at) => [`${id} ${port}`, `r${at}`] as const)),
  );
  const of = (isWanted: (node: Node) => boolean) =>
    nodes
      .filter(isWanted)
      .map(({ id }) => ids.get(id) ?? "")
      .join("; ");
  const watches = nodes.filter(({ look }) => look === "watch").map(({ id }) => id);
  const watching = new Set([...watches, ...edges.filter(({ from }) => watches.includes(from)).map(({ to }) => to)]);
  const lines = [
    "digraph {",
    `graph [rankdir=TB, bgcolor="${colors.background}", fontname="${font}", nodesep=0.35, ranksep=0.5, pad=0.2]`,
    `node [shape=plain, fontname="${font}", fontsize=${sizes.rule.measured}, fontcolor="${colors.text}"]`,
    `edge [fontname="${font}", fontsize=${sizes.note.measured}, fontcolor="${colors.muted}", arrowsize=0.7, penwidth=1.2]`,
    ...nodes.map((node) => `${ids.get(node.id) ?? ""} [label=<${labelOf(node, colors)}>]`),
    ...edges.map(({ from, port, to, flow, label, isReturn }) => {
      const start = port === undefined ? "" : `:${ports.get(`${from} ${port}`) ?? ""}:s`;
      const attributes = [
        `color="${colors.flows[flow]}"`,
        `style=${flows[flow].style}`,
        ...(label === undefined ? [] : [`label="\u00a0${quoted(label)}"`]),
        ...(isReturn === true ? ["constraint=false"] : []),
      ];
      return `${ids.get(from) ?? ""}${start} -> ${ids.get(to) ?? ""} [${attributes.join(", ")}]`;
    }),
    `{rank=same; ${of((node) => node.look === "function")}}`,
    `{rank=max; ${of(({ id }) => watching.has(id))}}`,
    "}",
  ];
  return lines.join("\n");
}

function labelOf({ kind, name, look, rules, notes, alarms }: Node, colors: Colors): string {
  const { fill, border } = colors.looks[look];
  const columns = Math.max(1, rules.length);
  const small = (text: string) =>
    `<FONT POINT-SIZE="${sizes.note.measured}" COLOR="${colors.muted}">${escaped(text)}</FONT>`;
  const counted =
    look === "watch" && kind === "CloudWatch" ? `${alarms} in all` : `${alarms} alarm${alarms === 1 ? "" : "s"}`;
  const told = [...notes, ...(alarms === 0 ? [] : [counted])];
  const head = [
    ...(kind === "" ? [] : [small(kind)]),
    `<FONT POINT-SIZE="${sizes.name.measured}"><B>${escaped(name)}</B></FONT>`,
    ...told.map(small),
  ].join("<BR/>");
  const cells = rules.map(({ names }, at) => {
    const shown =
      names.length > mostNames ? [...names.slice(0, mostNames - 1), `and ${names.length - mostNames + 1} more`] : names;
    return `<TD PORT="r${at}" BORDER="1" SIDES="T" COLOR="${border}">${shown.map(escaped).join("<BR/>")}</TD>`;
  });
  return (
    `<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="6" STYLE="ROUNDED" BGCOLOR="${fill}" COLOR="${border}">` +
    `<TR><TD COLSPAN="${columns}">${head}</TD></TR>${cells.length === 0 ? "" : `<TR>${cells.join("")}</TR>`}</TABLE>`
  );
}

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const quoted = (text: string) => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"');

/** Puts a description into the picture, and a legend below it. */
function framed(svg: string, graph: Graph, colors: Colors): string {
  const [, width = 0, height = 0] = (/viewBox="0\.00 0\.00 ([\d.]+) ([\d.]+)"/.exec(svg) ?? []).map(Number);
  const drawn = svg
    .slice(svg.indexOf('<g id="graph0"'))
    .replace(/<title>%3<\/title>\n/, "")
    .replace(/<\/svg>\s*$/, "");
  const legendHeight = 34;
  const described = edgesInWords(graph).map(({ from, to }) => `${from} to ${to}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title description" width="${width}" height="${height + legendHeight}" viewBox="0 0 ${width} ${height + legendHeight}">
<!-- Generated by \`npm run docs\`. Do not edit. -->
<title id="title">${title}</title>
<desc id="description">${escaped(described.join("; "))}.</desc>
<rect width="100%" height="100%" fill="${colors.background}"/>
${drawn}${legend(height + legendHeight / 2 - 4, colors)}
</svg>
`;
}

function legend(y: number, colors: Colors): string {
  const [lineLength, step] = [36, 210];
  return Object.entries(flows)
    .map(([flow, { meaning, dash }], at) => {
      const x = 24 + at * step;
      const line = `<path d="M${x} ${y}h${lineLength}" stroke="${colors.flows[flow as keyof typeof flows]}" stroke-width="1.5"${dash === "" ? "" : ` stroke-dasharray="${dash}"`}/>`;
      return `${line}<text x="${x + lineLength + 8}" y="${y + 4}" font-family="${font}" font-size="${sizes.rule.shown}" fill="${colors.text}">${meaning}</text>`;
    })
    .join("\n");
}
