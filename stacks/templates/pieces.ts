import { type Reads } from "../../handler/contract/template-data";

/** The parts of a mail that SES renders, each from its own tree of the template data. */
export type Part = "subject" | "text" | "html";

/** Where something stands that a message is about. The first line is 1, and so is the first column. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Place {
  readonly problem: string;
}

/** A piece of the compiled template. The pieces in their order, joined, are what SES stores. */
export type Piece =
  | { readonly kind: "static"; readonly text: string; readonly place: Place }
  | {
      readonly kind: "value";
      readonly text: string;
      readonly place: Place;
      readonly shown: string;
      /** What the value may be: a text that is escaped, a checked address, or safe markup. */
      readonly form: "text" | "link" | "markup";
    }
  | {
      readonly kind: "block";
      readonly text: string;
      readonly place: Place;
      readonly shown: string;
      /** The same for the open tag, the else tags and the close tag of one block. */
      readonly block: string;
    };

/** A file of templates. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** Finds the text of a partial or a layout by its name. */
export interface Partials {
  readonly names: readonly string[];
  readonly read: (name: string) => Source | undefined;
}

export interface Compiled {
  readonly pieces: readonly Piece[];
  readonly reads: Reads;
  readonly problems: readonly Problem[];
  /** Whether it shows a text of a messages file. */
  readonly readsMessages: boolean;
}
