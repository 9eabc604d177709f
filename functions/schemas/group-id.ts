import * as z from "zod";
import { GROUP_SERVER, parseJid } from "../../shared/jid.ts";
import type { BrokenRule } from "../issue.ts";

const NOT_A_GROUP: BrokenRule = {
  sentence: { id: "bukan JID grup", en: "is not the JID of a group" },
};

export const groupId = z
  .string()
  .refine((value) => parseJid(value)?.server === GROUP_SERVER, { params: NOT_A_GROUP })
  .meta({ description: "The group's JID, `…@g.us`.", examples: ["120363012345678901@g.us"] });
