import { emailRequest } from "./handler/notifications/email-request";
import { priorityAlert } from "./handler/notifications/priority-alert";
import { sampleEvent } from "./handler/notifications/sample";
import { loadTemplate } from "./stacks/templates/load";
import { renderMail } from "./stacks/templates/mail";
import { writeFileSync } from "node:fs";
console.time("x"); const m = renderMail(priorityAlert, sampleEvent(priorityAlert)); console.timeEnd("x");
console.log(m.subject, m.html.length, m.text); writeFileSync("/tmp/mail.html", m.html);
console.log(loadTemplate(emailRequest).html.match(/<[^>]*dir="auto"[^>]*>/g), loadTemplate(emailRequest).html.match(/lang="[^"]*"/g));
