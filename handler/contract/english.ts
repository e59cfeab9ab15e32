import { config } from "zod/mini";
import { en } from "zod/locales";

/**
 * The English texts of Zod's errors, for whoever reports them. `zod` sets them itself, and `zod/mini` comes without: each
 * error would be "Invalid input".
 */
config(en());
