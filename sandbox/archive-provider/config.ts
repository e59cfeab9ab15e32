/**
 * The configuration of `data "archive_file"` as Terraform sends it. It has every attribute, with `null` where one is
 * not set.
 */
export type Config = Readonly<Record<string, unknown>>;

/** An error in a configuration, and the attribute that it is in. */
export interface Problem {
  readonly attribute: string;
  readonly message: string;
}

const sources = ["source", "source_content_filename", "source_file", "source_dir"] as const;

/**
 * Whether an attribute is set. A value that is not known yet counts as set. Terraform sends it as an object of
 * MessagePack's extension type, and only when it validates: it reads the data source once all values are known.
 */
function isSet(value: unknown): boolean {
  return value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0);
}

/** Checks a configuration by the rules of the real provider. Values that are not known yet are not checked. */
export function problemsOf(config: Config): Problem[] {
  const problems: Problem[] = [];
  const [first, second] = sources.filter((name) => isSet(config[name]));
  if (first === undefined) {
    problems.push({ attribute: "source_dir", message: `One of ${sources.join(", ")} is needed.` });
  } else if (second !== undefined) {
    problems.push({ attribute: second, message: `It can't be set together with ${first}.` });
  }
  if (typeof config.type === "string" && config.type !== "zip") {
    problems.push({ attribute: "type", message: `"${config.type}" is not known to the stand-in: use "zip".` });
  }
  if (typeof config.output_file_mode === "string" && !/^0o?[0-7]{1,4}$/.test(config.output_file_mode)) {
    problems.push({
      attribute: "output_file_mode",
      message: `"${config.output_file_mode}" is no octal file mode: write it with a leading zero, for example "0644".`,
    });
  }
  return problems;
}
