/**
 * Answers that hold message content. The database keeps none of that once a command is finished, so such an answer is an
 * object of the media bucket, under a prefix whose objects expire after a day, and the command's row says only where.
 */
import * as z from "zod";
import type { CommandId } from "./ids.ts";
import type { Storage } from "./storage.ts";

export const RESULTS_PREFIX = "results/";
const place = z.object({ resultKey: z.string().startsWith(RESULTS_PREFIX) });

/** The `result` in the row of a command whose answer lies in the bucket. */
export type ResultPlace = z.infer<typeof place>;

/**
 * Stores an answer and tells what goes into the row. Run again after a crash, the first answer stays: the client may
 * have seen it. Throws when the store does not answer.
 */
export async function keepResult(media: Storage, commandId: CommandId, answer: unknown): Promise<ResultPlace> {
  const resultKey = `${RESULTS_PREFIX}${commandId}`;
  await media.createIfAbsent(resultKey, Buffer.from(JSON.stringify(answer)));
  return { resultKey };
}

/** The answer that a row's `result` is or points to; undefined when it has expired. Throws as above. */
export async function readResult(media: Storage, result: unknown): Promise<unknown> {
  const { data } = place.safeParse(result);
  if (!data) return result;
  const object = await media.get(data.resultKey);
  return object && JSON.parse(object.body.toString());
}

/** As `readResult`, and removes the object: for the one who answers a waiting client with it. */
export async function takeResult(media: Storage, result: unknown): Promise<unknown> {
  const answer = await readResult(media, result);
  const { data } = place.safeParse(result);
  // What is left behind expires.
  if (data) await media.delete([data.resultKey]).catch(() => undefined);
  return answer;
}
