import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { encryptedBySetting, knownKinds, withoutData } from "../../stacks/policy/data-kinds";

/** The lists of kinds against the provider's own classes. */

const classes = dirname(require.resolve("@cdktf/provider-aws/package.json"));

/** The declaration of the provider's class for a kind. */
function declarationOf(kind: string): string {
  const file = join(classes, "lib", kind.replace(/^aws_/, "").replaceAll("_", "-"), "index.d.ts");
  if (!existsSync(file)) throw new Error(`The provider has no ${kind}: ${file} is missing`);
  return readFileSync(file, "utf8");
}

const inCamelCase = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

it.each([...knownKinds])("%s is a kind of the provider", (kind) => {
  expect(declarationOf(kind)).toContain(`tfResourceType = "${kind}"`);
});

/** They say who encrypts what else, and hold nothing themselves. */
const aboutOthers = ["aws_kms_grant", "aws_s3_bucket_server_side_encryption_configuration"];

it.each(withoutData.filter((kind) => !aboutOthers.includes(kind)))(
  "%s has nothing to encrypt: no setting of it names a key or an encryption",
  (kind) => {
    expect(declarationOf(kind).match(/readonly \w*(?:[kK]ms|ncrypt)\w*/g)).toBeNull();
  },
);

it.each(Object.entries(encryptedBySetting))("%s has the setting that encrypts it", (kind, { path }) => {
  const declaration = declarationOf(kind);
  for (const name of path) expect(declaration).toMatch(new RegExp(`readonly ${inCamelCase(name)}\\??:`));
});
