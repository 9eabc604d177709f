import { soak } from "./testing/soak.ts";
import { ALICE, BOB, World } from "./testing/world.ts";

/** The long form of soak.test.ts: 1,000 messages in each direction. Prints what happened; exit code 1 if any was lost. */
const EACH = 1_000;

const world = await World.start();
const report = await soak(world, [ALICE, BOB], EACH);
const { undecryptable, retryReceipts } = await world.stats();
await world.dispose();
process.stdout.write(`${JSON.stringify({ ...report, undecryptable, retryReceipts }, null, 2)}\n`);
process.exit(report.missing.length + report.wrong.length === 0 ? 0 : 1);
