/**
 * Checks the schedule of a rule by EventBridge's documentation, because EventBridge itself refuses a wrong one only at
 * the deployment: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html. Whatever
 * that page does not show is refused here, for example lower-case letters. No library checks this strictly:
 * aws-cron-parser 1.1.12 accepts `cron(a 9 * * ? *)`.
 */

interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Names of the values, beginning with the value `from`. */
  readonly words?: readonly string[];
}

const days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const dayOfMonth: Field = { name: "day-of-month", from: 1, to: 31 };
const dayOfWeek: Field = { name: "day-of-week", from: 1, to: 7, words: days };
const fields: readonly Field[] = [
  { name: "minutes", from: 0, to: 59 },
  { name: "hours", from: 0, to: 23 },
  dayOfMonth,
  { name: "month", from: 1, to: 12, words: months },
  dayOfWeek,
  { name: "year", from: 1970, to: 2199 },
];

/** The longest `ScheduleExpression` that EventBridge's PutRule takes. */
const mostCharacters = 256;

/** @returns why EventBridge would refuse the schedule, and the fix; `undefined` where the schedule is valid. */
export function scheduleProblem(expression: string): string | undefined {
  const problem = problemOf(expression);
  return problem === undefined ? undefined : `"${expression}" ${problem}`;
}

function problemOf(expression: string): string | undefined {
  if (expression.length > mostCharacters)
    return `has ${expression.length} characters, and EventBridge takes ${mostCharacters}`;
  const [, kind, body = ""] = /^(cron|rate)\((.*)\)$/.exec(expression) ?? [];
  if (kind === "rate") return rateProblem(body);
  if (kind === "cron") return cronProblem(body);
  return "is neither cron(..) nor rate(..): for example cron(0 9 * * ? *), or rate(5 minutes)";
}

function rateProblem(body: string): string | undefined {
  const [, digits, unit = "", plural = ""] = /^(\d+) (minute|hour|day)(s?)$/.exec(body) ?? [];
  if (digits === undefined) return "is not rate(<number> <minutes, hours or days>): for example rate(5 minutes)";
  const count = Number(digits);
  if (count === 0) return "never runs: the number of a rate is 1 or more";
  const right = count === 1 ? unit : `${unit}s`;
  return unit + plural === right ? undefined : `has ${unit}${plural} for ${right}: write rate(${digits} ${right})`;
}

function cronProblem(body: string): string | undefined {
  const texts = body.split(/[ \t]+/);
  if (texts.length !== fields.length) {
    const names = fields.map(({ name }) => name).join(", ");
    return `has ${texts.length} field${texts.length === 1 ? "" : "s"}, and EventBridge takes ${fields.length}: ${names}`;
  }
  for (const [index, field] of fields.entries()) {
    const text = texts[index] ?? "";
    const problem = fieldProblem(text, field);
    if (problem !== undefined) return `has "${text}" for ${field.name}: ${problem}`;
  }
  const asked = [dayOfMonth, dayOfWeek].filter((field) => texts[fields.indexOf(field)] !== "?");
  if (asked.length === 1) return undefined;
  return asked.length === 2
    ? "has both day-of-month and day-of-week: write ? for one of them, which then is any day"
    : "has ? for both day-of-month and day-of-week: write * for one of them";
}

function fieldProblem(text: string, field: Field): string | undefined {
  if (field === dayOfMonth || field === dayOfWeek) {
    if (text === "?" || text === "L") return undefined;
    const special = specialDay(text, field);
    if (special !== undefined) return special.problem;
  }
  for (const part of text.split(",")) {
    const problem = partProblem(part, field);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/**
 * Checks a value with a special sign: `3W` is the weekday closest to the 3rd, `6L` the last Friday, `3#2` the second
 * Tuesday. Such a value can't be a part of a list.
 * @returns `undefined` where the text has no such sign.
 */
function specialDay(text: string, field: Field): { readonly problem: string | undefined } | undefined {
  const [, day, sign, nth = ""] =
    (field === dayOfMonth ? /^([^,]*)(W)$/ : /^([^,]*)(?:(L)|#([^,]*))$/).exec(text) ?? [];
  if (day === undefined) return undefined;
  if (sign === undefined && !/^[1-5]$/.test(nth)) return { problem: `the number after # is 1 to 5, not "${nth}"` };
  return { problem: valueProblem(day, field) };
}

/** Checks one part of a list: `*`, `5`, `1-5` or `MON-FRI`, each also with an increment as in `0/15` or `8-17/2`. */
function partProblem(part: string, field: Field): string | undefined {
  const [range = "", step, ...more] = part.split("/");
  if (step !== undefined) {
    if (field === dayOfWeek) return "day-of-week has no increments: name the days, for example MON,WED,FRI";
    if (more.length > 0 || !/^\d+$/.test(step) || Number(step) < 1 || Number(step) > field.to)
      return `an increment is a number from 1 to ${field.to}, not "${[step, ...more].join("/")}"`;
  }
  if (range === "*") return undefined;
  const [first = "", last, ...others] = range.split("-");
  if (others.length > 0) return `"${range}" is not a range: write for example ${field.from}-${field.to}`;
  const problem = valueProblem(first, field) ?? (last === undefined ? undefined : valueProblem(last, field));
  if (problem !== undefined) return problem;
  if (last !== undefined && valueOf(first, field) > valueOf(last, field))
    return `the range "${range}" ends before it begins: split it in two, with a comma`;
  return undefined;
}

function valueProblem(text: string, field: Field): string | undefined {
  const value = valueOf(text, field);
  if (value >= field.from && value <= field.to) return undefined;
  const words =
    field.words === undefined ? "" : `, or ${field.words[0] ?? ""} to ${field.words.at(-1) ?? ""} in capitals`;
  return `"${text}" is not a value from ${field.from} to ${field.to}${words}`;
}

/** The number of a value; `NaN` where the text is not a value. */
function valueOf(text: string, { from, words = [] }: Field): number {
  const word = words.indexOf(text);
  if (word >= 0) return word + from;
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}
