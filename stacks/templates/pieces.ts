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
  | {
      readonly kind: "static";
      readonly text: string;
      readonly place: Place;
      /** Absent where the text is of no messages file. */
      readonly message?: ShownMessage;
    }
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

/** How a text of a messages file is shown. */
export interface ShownMessage {
  /** The tag that shows the text: `{{t "key"}}`. */
  readonly tag: string;
  /** Whether it is escaped, so that the characters of HTML stand for themselves in it. */
  readonly isEscaped: boolean;
}

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
  /** The files that show a text of a messages file. */
  readonly readsMessages: ReadonlySet<string>;
}
