import * as z from "zod/mini";
import { type Notification } from "./define";
import { toStrictSchema } from "./request-schema";

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Makes the JSON Schema (draft 2020-12) of what a producer may put into an event's detail. */
export function producerSchema({
  detail,
  unknownFields = "refuse",
}: Pick<Notification, "detail" | "unknownFields">): JsonSchema {
  // JSON Schema can't express a transformation or a custom check. It allows any value in such a place.
  const schema = z.toJSONSchema(toStrictSchema(detail, unknownFields), { io: "input", unrepresentable: "any" });
  addKey(schema, schema, new Set());
  return schema;
}

const idempotencyKey: JsonSchema = {
  type: "string",
  minLength: 1,
  maxLength: 256,
  description: "Two events with the same key are one: each of their mails is sent once.",
};

/** Adds `idempotencyKey` to the detail's properties, in each alternative if the schema has several. */
function addKey(schema: JsonSchema, root: JsonSchema, met: Set<JsonSchema>): void {
  if (met.has(schema)) return;
  met.add(schema);
  for (const part of [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]) {
    addKey(part, root, met);
  }
  const definition = root.$defs?.[schema.$ref?.replace("#/$defs/", "") ?? ""];
  if (definition !== undefined) addKey(definition, root, met);
  if (schema.properties !== undefined) schema.properties = { idempotencyKey, ...schema.properties };
}
