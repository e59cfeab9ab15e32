export interface Row {
  readonly name: string;
  readonly events: number;
  readonly due: number;
  readonly mailed: number;
  readonly parked: number;
  readonly told: number;
  readonly lost: number;
  readonly twice: number;
  readonly reasons: readonly string[];
  readonly problems: readonly string[];
}

const columns = ["events", "due", "mailed", "parked", "told", "lost", "twice"] as const;

/** The result as a person reads it. */
export function describeTable(rows: readonly Row[]): string {
  const sum = (column: (typeof columns)[number]) => rows.reduce((total, row) => total + row[column], 0);
  const total = Object.fromEntries(columns.map((column) => [column, sum(column)])) as Record<
    (typeof columns)[number],
    number
  >;
  const lines = [
    ["", "case", ...columns, "parked as"],
    ...rows.map((row) => [
      row.problems.length === 0 ? "✔" : "✘",
      row.name,
      ...columns.map((column) => String(row[column])),
      row.reasons.join(", "),
    ]),
    ["", "all", ...columns.map((column) => String(total[column])), ""],
  ];
  const widths = lines[0]?.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0))) ?? [];
  const text = lines.map((line) =>
    line
      .map((cell, index) =>
        index >= 2 && index < 9 ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
  return [
    "",
    ...text,
    "",
    "due: one for each event and recipient (for the event, where it names none); events with one idempotency key are one.",
    "told: AWS keeps no record of it but a metric, or an event of SES, and that was counted.",
    "A mail that is parked as OutcomeUnknown may be out: the case says whether it is.",
    "",
  ].join("\n");
}
