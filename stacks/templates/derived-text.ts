import { convert } from "html-to-text";
import { type Piece } from "./pieces";

/** Stands for a piece while the text is made of the HTML. */
const stands = /hbs(\d+)text/g;

/**
 * Makes the text part of a mail of its HTML part.
 * @param file that the HTML is made of.
 */
export function derivedText(pieces: readonly Piece[], file: string): readonly Piece[] {
  const place = { file, line: 1, column: 1 };
  const markup = pieces.map((piece, at) => (piece.kind === "static" ? piece.text : `hbs${at}text`)).join("");
  // What stands outside of <body> counts too, such as a condition around the whole page.
  const text = convert(`<body>${markup}</body>`, {
    wordwrap: false,
    formatters: {
      cell: (element, walk, builder) => {
        walk(element.children, builder);
        builder.addInline(" ");
      },
    },
    selectors: [
      { selector: "head", format: "skip" },
      { selector: "tr", format: "block", options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
      ...["td", "th"].map((selector) => ({ selector, format: "cell" })),
      { selector: "img", format: "skip" },
      { selector: "a", options: { hideLinkHrefIfSameAsText: true } },
      ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({ selector, options: { uppercase: false } })),
    ],
  });
  const words = text.split(stands).map((word, at): Piece => {
    const piece = at % 2 === 1 ? pieces[Number(word)] : undefined;
    return piece ?? { kind: "static", text: word, place };
  });
  return [...words, { kind: "static", text: "\n", place }];
}
