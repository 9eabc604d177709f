import * as z from "zod";
import * as audit from "../../shared/db/audit.ts";
import { answer, route } from "../route.ts";
import type { Route } from "../route.ts";

const MOST = 1_000;
const USUAL = 100;

const entryView = z
  .object({
    entryId: z.int(),
    occurredAt: z.iso.datetime(),
    userId: z.string().nullable().meta({ description: "Who; null for a login under a name that nobody has." }),
    tokenId: z.string().nullable().meta({ description: "With which token; null for a login." }),
    action: z.string().meta({ description: "Such as `login.failed`, `token.create`, `device.remove`." }),
    target: z.string().nullable().meta({ description: "The id of what it was done to." }),
    address: z.string().nullable(),
    requestId: z.string(),
  })
  .meta({ id: "AuditEntry" });

const listAudit = route({
  name: "listAudit",
  method: "get",
  path: "/api/auth/audit",
  tag: "Users",
  scope: "admin",
  summary: "Who changed what",
  description:
    "Newest first; never content. Ask again with `before` set to the last `entryId` while `hasMore` is true. Entries are kept for `AUDIT_RETENTION_DAYS`.",
  query: z.object({
    before: z.coerce.number().int().min(1).default(Number.MAX_SAFE_INTEGER),
    limit: z.coerce.number().int().min(1).max(MOST).default(USUAL),
  }),
  answers: {
    200: answer(
      { id: "Catatan audit", en: "The audit log" },
      z.object({ entries: z.array(entryView), hasMore: z.boolean() }),
      {
        entries: [
          {
            entryId: 4711,
            occurredAt: "2026-11-22T04:30:00.000Z",
            userId: "usr_019aa1b2c3d4e5f60718293a4b",
            tokenId: null,
            action: "token.create",
            target: "tok_019aa1b2c3d4e5f60718293a4b",
            address: "203.0.113.7",
            requestId: "5f0c6f2e-8f5b-4b1c-9a53-2f1f0f6f7c11",
          },
        ],
        hasMore: false,
      },
    ),
  },
  errors: [],
  async handle({ query }, { services }) {
    const found = await audit.list(services.database, query.before, query.limit + 1);
    const entries = found.slice(0, query.limit).map((entry) => ({
      ...entry,
      occurredAt: entry.occurredAt.toISOString(),
    }));
    return { status: 200, data: { entries, hasMore: found.length > query.limit } };
  },
});

export const auditRoutes: Route[] = [listAudit];
