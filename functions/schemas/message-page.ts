import * as z from "zod";
import { MAX_COUNTED } from "../../shared/db/message-lists.ts";
import type { Order, Place, Range } from "../../shared/db/message-lists.ts";
import { ApiError } from "../../shared/errors.ts";
import type { BrokenRule } from "../issue.ts";
import { localTime } from "../local-time.ts";
import type { Services } from "../route.ts";
import { pageQuery, pagination } from "./page.ts";
import { storedMessageExample, storedMessageView } from "./stored-message.ts";

const NOT_A_DATE: BrokenRule = {
  sentence: { id: "harus tanggal antara 1970 dan 2999", en: "must be a date between 1970 and 2999" },
};

/** A day of `APP_TIMEZONE`. */
export const localDate = z.iso
  .date()
  .refine((date) => date >= "1970-01-02" && date < "3000", { params: NOT_A_DATE })
  .meta({ examples: ["2026-11-22"] });

/** From the first day to the last one, both of them whole. */
export const daysQuery = { start_date: localDate.optional(), end_date: localDate.optional() };

export const orderQuery = (usual: Order) => ({
  order: z.enum(["asc", "desc"]).default(usual).meta({ description: "`asc`: the oldest first." }),
});

/** A page by its number, or by the place of the one before. */
export const messagePageQuery = {
  ...pageQuery,
  cursor: z
    .string()
    .regex(/^[0-9]{1,14}-[0-9]{1,15}$/)
    .optional()
    .meta({
      description: `\`nextCursor\` of an answer: goes on where that one ended, whatever came meanwhile, as far as there are messages; \`page\` is passed over. Page numbers end with the ${MAX_COUNTED.toLocaleString("en")}th message.`,
    }),
};
type PageQuery = { page: number; pageSize: number; cursor?: string | undefined };

/** Throws `validation_failed` for a page that only a cursor gets to. */
export function toPage({
  page,
  pageSize,
  cursor,
}: PageQuery): { limit: number } & ({ offset: number } | { after: Place }) {
  const [time, rowId] = cursor?.split("-").map(Number) ?? [];
  if (time !== undefined && rowId !== undefined) return { limit: pageSize, after: { sentAt: new Date(time), rowId } };
  if (page * pageSize <= MAX_COUNTED) return { limit: pageSize, offset: (page - 1) * pageSize };
  const message = `page * pageSize: ≤ ${MAX_COUNTED}; cursor = nextCursor`;
  throw new ApiError("validation_failed", [{ path: "query.page", message }]);
}

export const toCursor = ({ sentAt, rowId }: Place) => `${sentAt.getTime()}-${rowId}`;

/** Days of the installation as instants. */
export function toRange(
  { start_date: start, end_date: end }: { start_date?: string | undefined; end_date?: string | undefined },
  { config }: Pick<Services, "config">,
): Range {
  const { day } = localTime(config.timeZone);
  return { ...(start && { from: day(start).from }), ...(end && { to: day(end).to }) };
}

export const messagePage = z.object({
  messages: z.array(storedMessageView),
  pagination: pagination.meta({
    id: "MessagePagination",
    description: `\`total\` is ${MAX_COUNTED.toLocaleString("en")} also where there are more.`,
  }),
  nextCursor: z.string().nullable().meta({ description: "Null: there are no more." }),
});

export const messagePageExample: z.input<typeof messagePage> = {
  messages: [storedMessageExample],
  pagination: { page: 1, pageSize: 10, total: 1, totalPages: 1 },
  nextCursor: null,
};
