import * as z from "zod";

const MAX_PAGE_SIZE = 100;
/** Beyond this a page would be found only by reading millions of rows. */
const MAX_PAGE = 100_000;

/** The query of every list that comes in numbered pages. */
export const pageQuery = {
  page: z.coerce.number().int().min(1).max(MAX_PAGE).default(1),
  pageSize: z.coerce.number().int().min(1).max(MAX_PAGE_SIZE).default(10),
};

export const pagination = z
  .object({ page: z.int(), pageSize: z.int(), total: z.int(), totalPages: z.int() })
  .meta({ id: "Pagination" });

export const toPagination = (page: number, pageSize: number, total: number): z.input<typeof pagination> => ({
  page,
  pageSize,
  total,
  totalPages: Math.ceil(total / pageSize),
});
