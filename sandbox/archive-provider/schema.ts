/** The name of a Terraform type in the protocol's JSON form. */
type AttributeType = "string" | "bool" | "number" | readonly ["set", "string"];

interface Attribute {
  readonly type: AttributeType;
  readonly required?: true;
  readonly optional?: true;
  readonly computed?: true;
}

const optionalString = { type: "string", optional: true } as const;
const computedString = { type: "string", computed: true } as const;

/** The attributes of `data "archive_file"` in hashicorp/archive 2.7.1. */
const attributes = {
  type: { type: "string", required: true },
  source_dir: optionalString,
  source_file: optionalString,
  source_content: optionalString,
  source_content_filename: optionalString,
  excludes: { type: ["set", "string"], optional: true },
  exclude_symlink_directories: { type: "bool", optional: true },
  output_path: { type: "string", required: true },
  output_file_mode: optionalString,
  output_size: { type: "number", computed: true },
  output_sha: computedString,
  output_sha256: computedString,
  output_base64sha256: computedString,
  output_sha512: computedString,
  output_base64sha512: computedString,
  output_md5: computedString,
  id: computedString,
} as const satisfies Record<string, Attribute>;

const sourceAttributes = {
  content: { type: "string", required: true },
  filename: { type: "string", required: true },
} as const satisfies Record<string, Attribute>;

const block = (of: Record<string, Attribute>) => ({
  attributes: Object.entries(of).map(([name, { type, ...kind }]) => ({
    name,
    type: Buffer.from(JSON.stringify(type)),
    ...kind,
  })),
});

export const archiveFileSchema = {
  version: 0,
  block: {
    ...block(attributes),
    block_types: [{ type_name: "source", nesting: "SET", block: block(sourceAttributes) }],
  },
};
