import { catalogue } from "../../handler/notifications";
import { producerSchema } from "../../handler/notifications/producer-schema";

/** `npm run schema`: what a producer may put into an event's detail, as JSON Schema. */

const [id] = process.argv.slice(2);
const notification = catalogue.find((candidate) => candidate.id === id);
if (notification === undefined) {
  const known = catalogue.map((candidate) => candidate.id).join(", ");
  console.error(`${id === undefined ? "Which notification?" : `There is no "${id}":`} Use one of ${known}`);
  process.exitCode = 1;
} else {
  console.log(JSON.stringify(producerSchema(notification), null, 2));
}
