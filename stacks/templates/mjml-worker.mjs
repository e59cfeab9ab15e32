// Turns MJML into HTML: the source comes on standard input, and the result goes to standard output as JSON. It is a
// process of its own, because MJML works asynchronously and the synth does not.
import mjml2html from "mjml";
import { text } from "node:stream/consumers";

const convert = async (source) => {
  try {
    return await mjml2html(source, settings);
  } catch (error) {
    // What has no <mjml>, for example, is no error in its list.
    return { html: "", errors: [{ line: 1, message: error.message }] };
  }
};

const settings = {
  validationLevel: "soft",
  // Partials do what mj-include does, and a template may not read other files.
  ignoreIncludes: true,
  keepComments: false,
  // Without this, a mail would ask Google for a typeface each time that it is read.
  fonts: {},
};
const { html, errors } = await convert(await text(process.stdin));
process.stdout.write(JSON.stringify({ html, errors: errors.map(({ line, message }) => ({ line, message })) }));
