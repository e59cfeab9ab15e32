import { type TerraformStack, Testing } from "cdktf";
import { readStack, type SynthesizedStack } from "../../docs/generator/stack";
import { seedCatalogue } from "../../handler/notifications/seed";
import { Names } from "../../stacks/names";
import { NotificationStack } from "../../stacks/notification-stack";
import { configOf } from "./stack";

/** The stack of production as the generated documents read it, after a change. */
export function stackWith(change: (scope: TerraformStack, names: Names) => void): SynthesizedStack {
  const config = configOf({ STAGE: "prod" });
  const names = new Names(config);
  const changed = new NotificationStack(Testing.app(), "notification", config, seedCatalogue);
  change(changed, names);
  changed.prepareStack();
  return readStack(changed, names);
}
