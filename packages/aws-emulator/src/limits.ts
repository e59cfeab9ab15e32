/** Of an entry of PutEvents, and of a record that Lambda puts on a bus (EventBridge quotas). */
export const mostEventBytes = 262_144;

/** "PutEvents will only process nested JSON up to 1000 levels deep" (API_PutEvents). */
export const mostNesting = 1000;
