/** The types of frame.js for programs in TypeScript (`aws-emulator/mail-frame`). */

/** How a mail is shown: on white paper, or in the scheme that its frame has, as a client with a dark mode shows it. */
export type Paper = "white" | "scheme";

/** The document for the `srcdoc` of a frame: the mail behind a policy that loads and runs nothing. @default white */
export function mailDocument(html: string, paper?: Paper): string;

/** Whether the mail asks for something that is not in it, which the policy of `mailDocument` blocks. */
export function hasRemoteContent(html: string): boolean;
