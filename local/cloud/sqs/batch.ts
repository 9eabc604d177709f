import { AwsError } from "../aws-error.ts";
import { batchError } from "./errors.ts";
import { objectList, optionalText } from "./input.ts";
import type { Input } from "./input.ts";

const MOST_ENTRIES = 10;
const ENTRY_ID = /^[\w-]{1,80}$/;

/** The entries of a batch request. Throws what SQS says when the batch as a whole is wrong. */
export function batchEntries(input: Input): { id: string; entry: Input }[] {
  const entries = objectList(input, "Entries").map((entry) => ({ id: optionalText(entry, "Id") ?? "", entry }));
  if (entries.length === 0) {
    throw batchError("EmptyBatchRequest", "There should be at least one entry in the request.");
  }
  if (entries.length > MOST_ENTRIES) {
    const message = `Maximum number of entries per request are ${MOST_ENTRIES}. You have sent ${entries.length}.`;
    throw batchError("TooManyEntriesInBatchRequest", message);
  }
  if (!entries.every(({ id }) => ENTRY_ID.test(id))) {
    const message =
      "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.";
    throw batchError("InvalidBatchEntryId", message);
  }
  const repeated = entries.find(({ id }, index) => entries.findIndex((other) => other.id === id) !== index);
  if (repeated) throw batchError("BatchEntryIdsNotDistinct", `Id ${repeated.id} repeated.`);
  return entries;
}

/** Does each entry by itself: one that is refused does not keep the others back. Other failures fail the request. */
export async function runBatch(
  entries: readonly { id: string; entry: Input }[],
  run: (entry: Input) => Promise<object>,
): Promise<{ Successful: object[]; Failed: object[] }> {
  const results = await Promise.all(
    entries.map(async ({ id, entry }) => {
      try {
        return { done: { Id: id, ...(await run(entry)) } };
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        return { failed: { Id: id, SenderFault: true, Code: error.legacyCode, Message: error.message } };
      }
    }),
  );
  return {
    Successful: results.flatMap(({ done }) => done ?? []),
    Failed: results.flatMap(({ failed }) => failed ?? []),
  };
}
