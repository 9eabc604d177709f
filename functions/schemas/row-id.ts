import * as z from "zod";

/** The id of a row of the data API. */
export const rowId = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
