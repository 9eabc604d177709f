import * as z from "zod";
import { allowedUrl, MAX_URL_LENGTH } from "../../shared/allowed-url.ts";
import { fetchRefusals } from "../../shared/fetch-refusals.ts";
import type { BrokenRule } from "../issue.ts";

/** A URL that events are to be sent to. Whether it leads inside is seen when it is used. */
export const publicUrl = z
  .string()
  .max(MAX_URL_LENGTH)
  .superRefine((text, context) => {
    const url = allowedUrl(text);
    if (typeof url !== "string") return;
    const { code, id, en } = fetchRefusals[url];
    context.addIssue({ code: "custom", params: { sentence: { id, en }, code } satisfies BrokenRule });
  })
  .meta({
    description: "`http` or `https`, port 80, 443 or above 1023, no user name or password, not inside a network.",
    examples: ["https://shop.example.com/whatsapp"],
  });
