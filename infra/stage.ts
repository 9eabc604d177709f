/** The only place that knows stage names. */
export const isProduction = $app.stage === "production";

/** Command queues, and so the most hosts that can share the work. A device keeps the shard that it was created in. */
export const SHARDS = 16;
