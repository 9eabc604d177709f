import assert from "node:assert/strict";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { CloudClients } from "../test-cloud.ts";
import type { SoakPart } from "./soak-part.ts";

const Bucket = "soak";
const KEYS = ["one", "two", "three", "four"];
/** Some of them larger than what the journal takes. */
const SIZES = [10, 400, 9_000, 40_000];

/** What a client knows of a key: its last acknowledged value, and the one that was asked for after it. */
type KeyFacts = { acknowledged: number | undefined; asked: number | undefined; turn: number };

/** A writer for each key, which replaces and deletes its object, and a reader of all of them. */
export async function startObjectPart({ s3 }: CloudClients): Promise<SoakPart> {
  await s3.send(new CreateBucketCommand({ Bucket }));
  const keys = new Map<string, KeyFacts>(
    KEYS.map((key) => [key, { acknowledged: undefined, asked: undefined, turn: 0 }]),
  );

  /** Two puts, then a deletion, and so on. */
  const writeNext = async (Key: string, facts: KeyFacts) => {
    const turn = facts.turn + 1;
    const value = turn % 3 === 0 ? undefined : turn;
    facts.asked = value;
    facts.turn = turn;
    if (value === undefined) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    else await s3.send(new PutObjectCommand({ Bucket, Key, Body: contentOf(value) }));
    facts.acknowledged = value;
  };
  const read = async (Key: string): Promise<string | undefined> => {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return await Body?.transformToString();
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  };
  const readAll = async () => {
    for (const key of KEYS) {
      const content = await read(key);
      if (content !== undefined) assert.equal(content, contentOf(Number.parseInt(content, 10)));
    }
  };

  return {
    name: "objects",
    workers: [
      ...[...keys].map(
        ([key, facts]) =>
          () =>
            writeNext(key, facts),
      ),
      readAll,
    ],
    check: async () => {
      for (const [key, facts] of keys) {
        const allowed = [facts.acknowledged, facts.asked].map((value) => value && contentOf(value));
        const content = await read(key);
        assert(allowed.includes(content), `${key} holds ${content?.slice(0, 10)}, acknowledged ${facts.acknowledged}`);
      }
    },
    finish: async () => undefined,
    counts: () => ({ objectWrites: [...keys.values()].reduce((sum, { turn }) => sum + turn, 0) }),
  };
}

function contentOf(value: number): string {
  return `${value} `.padEnd(SIZES[value % SIZES.length] ?? 0, "x");
}
