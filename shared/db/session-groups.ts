import { execute, select } from "./pool.ts";
import type { Database, Runner } from "./pool.ts";
import { wellFormed } from "./well-formed.ts";

/** A group that a session has seen something of. Null: not known. */
export type SessionGroup = { group: string; subject: string | null; inviteCode: string | null; updatedAt: Date };

export type LearntGroup = { group: string; subject?: string | undefined; inviteCode?: string | undefined };

const BATCH = 500;
const SUBJECT_LENGTH = 255;
const CODE_PATTERN = /^[\w-]{1,64}$/;

/** By name. */
export async function list(
  database: Database,
  sessionId: number,
  page: { limit: number; offset: number },
): Promise<{ groups: SessionGroup[]; total: number }> {
  const count = "SELECT COUNT(*) AS total FROM session_groups WHERE session_id = ?";
  const [row] = await select<{ total: number }>(database.pool, count, [sessionId]);
  const sql = `SELECT group_jid AS \`group\`, subject, invite_code AS inviteCode, updated_at AS updatedAt
    FROM session_groups WHERE session_id = ? ORDER BY subject, group_jid
    LIMIT ${Math.trunc(page.limit)} OFFSET ${Math.trunc(page.offset)}`;
  return { groups: await select<SessionGroup>(database.pool, sql, [sessionId]), total: row?.total ?? 0 };
}

/** What was learnt of groups; what is not given stays as it was. */
export async function learn(runner: Runner, sessionId: number, groups: readonly LearntGroup[]): Promise<void> {
  for (let at = 0; at < groups.length; at += BATCH) await learnBatch(runner, sessionId, groups.slice(at, at + BATCH));
}

async function learnBatch(runner: Runner, sessionId: number, groups: readonly LearntGroup[]): Promise<void> {
  const sql = `INSERT INTO session_groups (session_id, group_jid, subject, invite_code)
    VALUES ${groups.map(() => "(?, ?, ?, ?)").join(",")}
    ON DUPLICATE KEY UPDATE subject = COALESCE(VALUES(subject), subject),
      invite_code = COALESCE(VALUES(invite_code), invite_code), updated_at = NOW(3)`;
  const values = groups.flatMap(({ group, subject, inviteCode }) => {
    const named = subject === undefined ? null : wellFormed(subject.slice(0, SUBJECT_LENGTH));
    const code = inviteCode !== undefined && CODE_PATTERN.test(inviteCode) ? inviteCode : null;
    return [sessionId, group, named, code];
  });
  await execute(runner, sql, values);
}

/** The account is in this group no more. */
export async function forget(runner: Runner, sessionId: number, group: string): Promise<void> {
  await execute(runner, "DELETE FROM session_groups WHERE session_id = ? AND group_jid = ?", [sessionId, group]);
}
