/** Of an entry of PutEvents, and of a record that Lambda puts on a bus (EventBridge quotas). */
export const mostEventBytes = 262_144;
