/** A stand-in for the launcher: starts a database in the directory given, tells its parent, and waits to be killed. */
import { startDatabase } from "../database/start-database.ts";

const { pid, url } = await startDatabase({ dataDir: process.argv[2] ?? "" });
process.send?.({ pid, url });
